//! What leaves the replicated state for others to read: `config.data` on the master, ssconf files on all nodes.
//!
//! Both follow the state by themselves: no opcode writes them, so none can forget to. Changes that come in a burst are
//! exported once.

pub mod config_data;
pub mod file;
pub mod ssconf;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use gannet_core::config::{Config, Node};
use gannet_core::id::NodeUuid;
use gannet_proto::node::SsconfWriteRequest;
use tokio::sync::{Notify, watch};

use crate::master::Master;
use crate::store::State;

pub use ssconf::values as ssconf_values;

/// Changes within this time are exported together.
const GATHER: Duration = Duration::from_millis(100);
/// A node that did not take its files is tried again after this.
const RETRY: Duration = Duration::from_secs(20);
/// Between two exports while changes go on: the files are synced to the same disk that jobs wait for.
const REST: Duration = Duration::from_secs(2);
/// An export that took long is followed by a rest of so many times as long, so that large clusters do not spend more of
/// their processors and disks on it than small ones.
const REST_FACTOR: u32 = 20;
/// `config.data` holds secrets (OS parameters): for root and the group only.
const CONFIG_MODE: u32 = 0o640;
/// Anybody may read ssconf files.
const SSCONF_MODE: u32 = 0o444;

/// Exports after each change, until `shutdown` is set or its sender is gone. Failures are logged and tried again.
pub async fn serve(master: Arc<Master>, mut shutdown: watch::Receiver<bool>) {
    let mut changes = master.store().changes();
    let mut exporter = Exporter { master: master.clone(), written: 0, sent: HashMap::new() };
    loop {
        let begin = tokio::time::Instant::now();
        let complete = exporter.export().await;
        let rest = tokio::time::Instant::now() + REST.max(begin.elapsed() * REST_FACTOR);
        let wait = async {
            let retry = async { if complete { std::future::pending().await } else { tokio::time::sleep(RETRY).await } };
            let changed = async {
                // The end of the mirror ends the daemon; there is nothing to export any more then.
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                tokio::time::sleep(GATHER).await;
                tokio::time::sleep_until(rest).await;
            };
            tokio::select! { () = retry => {}, () = changed => {}, () = master.exports().wanted.notified() => {} }
        };
        tokio::select! {
            () = wait => {}
            _ = shutdown.wait_for(|stop| *stop) => return,
        }
    }
}

/// Writes the ssconf files of this node.
///
/// # Errors
/// When one cannot be written.
pub fn write_ssconf(paths: &gannet_core::paths::Paths, values: &BTreeMap<String, String>) -> std::io::Result<()> {
    values.iter().try_for_each(|(key, value)| file::put(&paths.ssconf(key), value.as_bytes(), SSCONF_MODE))
}

/// How far the export has come, and who wants it sooner.
#[derive(Debug)]
pub struct Progress {
    wanted: Notify,
    /// Index of the state that all nodes that could be reached have.
    done: watch::Sender<u64>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { wanted: Notify::new(), done: watch::channel(0).0 }
    }
}

impl Progress {
    /// Waits until the state of this index, or a newer one, was exported; not for its turn. False: that took longer than `limit`.
    pub async fn reaches(&self, index: u64, limit: Duration) -> bool {
        let mut done = self.done.subscribe();
        self.wanted.notify_one();
        tokio::time::timeout(limit, done.wait_for(|done| *done >= index)).await.is_ok_and(|found| found.is_ok())
    }
}

struct Exporter {
    master: Arc<Master>,
    /// Index of the state that `config.data` has.
    written: u64,
    /// What each node has, as far as this master knows.
    sent: HashMap<NodeUuid, Arc<BTreeMap<String, String>>>,
}

impl Exporter {
    /// Brings everything up to date; false when something has to be tried again.
    async fn export(&mut self) -> bool {
        let state = self.master.store().state();
        if !state.config.is_initialised() {
            return true;
        }
        let written = self.write_config(&state).await;
        let job = state.clone();
        // Long lists of names are not put together between other tasks.
        let Ok(values) = gannet_daemon::work::blocking(move || ssconf_values(&job.config)).await else { return false };
        let sent = self.send(&state.config, &Arc::new(values)).await;
        self.master.exports().done.send_replace(state.index);
        written && sent
    }

    async fn write_config(&mut self, state: &Arc<State>) -> bool {
        if self.written == state.index {
            return true;
        }
        let (path, job) = (self.master.paths().config_data(), state.clone());
        let write = move || -> std::io::Result<()> {
            file::put_with(&path, CONFIG_MODE, |file| {
                serde_json::to_writer(&mut *file, &config_data::document(&job.config, job.index))?;
                file.write_all(b"\n")
            })
        };
        match gannet_daemon::work::blocking(write).await {
            Ok(Ok(())) => {
                self.written = state.index;
                true
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, path = %self.master.paths().config_data().display(), "cannot export the configuration");
                false
            }
            Err(error) => {
                tracing::error!(%error, "the export of the configuration ended by itself");
                false
            }
        }
    }

    /// Sends the values to the online nodes that do not have them.
    async fn send(&mut self, config: &Config, values: &Arc<BTreeMap<String, String>>) -> bool {
        self.sent.retain(|uuid, _| config.node(uuid).is_some_and(|node| !node.offline));
        let behind = |node: &&Arc<Node>| !node.offline && self.sent.get(&node.uuid) != Some(values);
        let nodes: Vec<Arc<Node>> = config.nodes().filter(behind).cloned().collect();
        let handles = self.master.nodes();
        let calls = nodes.iter().map(|node| {
            let request = SsconfWriteRequest { values: values.iter().map(|(key, value)| (key.clone(), value.clone())).collect() };
            async move { handles.handle(node)?.ssconf_write(request).await }
        });
        let outcomes = join_all(calls).await;
        let mut complete = true;
        for (node, outcome) in nodes.iter().zip(outcomes) {
            match outcome {
                Ok(_) => {
                    self.sent.insert(node.uuid.clone(), values.clone());
                }
                Err(error) => {
                    complete = false;
                    tracing::warn!(node = %node.name, %error, "cannot send the ssconf files; trying again later");
                }
            }
        }
        complete
    }
}

#[cfg(test)]
mod tests {
    use gannet_core::config::{Object, ObjectKind};
    use serde_json::Value;

    use super::*;

    /// The example of a configuration that Ganeti loads without complaint.
    fn example() -> Value {
        serde_json::from_str(include_str!("../../qa/parity/examples/config.data.json")).expect("the example is JSON")
    }

    fn config(document: &Value) -> Config {
        let mut config = Config::default();
        let mut put = |kind, value: &Value| config.put(Object::from_json(kind, &value.to_string()).expect("an object of the example"));
        put(ObjectKind::Cluster, &document["cluster"]);
        for (key, kind) in [
            ("nodes", ObjectKind::Node),
            ("nodegroups", ObjectKind::NodeGroup),
            ("disks", ObjectKind::Disk),
            ("instances", ObjectKind::Instance),
            ("networks", ObjectKind::Network),
            ("filters", ObjectKind::Filter),
        ] {
            document[key].as_object().expect("a table").values().for_each(|value| put(kind, value));
        }
        config
    }

    #[test]
    fn config_data_has_ganetis_shape() {
        let wanted = example();
        let serial = wanted["serial_no"].as_u64().expect("a number");
        let config = config(&wanted);
        let made = serde_json::to_value(config_data::document(&config, serial)).expect("finite numbers");
        for key in wanted.as_object().expect("an object").keys() {
            assert_eq!(made[key], wanted[key], "{key}");
        }
        assert_eq!(made.as_object().map(serde_json::Map::len), wanted.as_object().map(serde_json::Map::len));
    }

    #[test]
    fn ssconf_has_all_keys_of_ganeti() {
        let values = ssconf_values(&config(&example()));
        assert_eq!(values.len(), 34);
        assert_eq!(values["master_node"], "node1.example.com\n");
        assert_eq!(values["master_netmask"], "32\n");
        assert!(values["node_primary_ips"].starts_with("node1.example.com 192.0.2.11\n"));
        assert!(values["hvparams_kvm"].contains("acpi=True\n"));
        assert!(values["node_vm_capable"].contains("node1.example.com=True\n"));
        assert!(values["ssh_ports"].contains("=22\n"));
    }
}
