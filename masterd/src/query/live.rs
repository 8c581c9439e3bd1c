//! What nodes say of themselves and of their instances, asked when a query needs it.
//!
//! An answer never is older than the question: a request that comes while a call is under way does not get that call's
//! answer but shares the next call with all others that came meanwhile. So a list after a job's end always shows what the
//! job did, and a hundred lists at once still cost a node only two calls.

mod flight;
mod guests;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use gannet_core::config::{Cluster, Config, Instance, Node};
use gannet_core::id::NodeUuid;
use gannet_core::paths::Paths;
use gannet_proto::node::{
    Empty, InstanceListRequest, InstanceRef, NodeInfoReply, NodeInfoRequest, OsDiagnoseReply, StorageListReply, StorageListRequest,
    StorageUnit,
};

use crate::node::{NodeError, NodeHandle, Nodes};

use flight::Flights;
pub(crate) use guests::{Guests, NodeGuests};

/// How long a node may take. A dead one costs a list this long once, and then nothing for [`flight::FAILURE_COUNTS_FOR`].
const DEADLINE: Duration = Duration::from_secs(4);

/// Consoles that are asked for at the same time.
const CONSOLES_AT_ONCE: usize = 32;

/// Asks nodes; requests for the same at the same time are one.
#[derive(Debug, Default)]
pub struct LiveCache {
    guests: Flights<NodeGuests>,
    facts: Flights<NodeInfoReply>,
    os: Flights<OsDiagnoseReply>,
    exports: Flights<StorageListReply>,
}

/// What several nodes answered; those that did not are left out.
pub(crate) type Answers<T> = HashMap<NodeUuid, Arc<T>>;

impl LiveCache {
    /// The guests of nodes. Nodes that are marked offline are not asked.
    pub(crate) async fn guests(&self, nodes: &Nodes, config: &Config, which: &[&Arc<Node>]) -> Guests {
        let hypervisors = config.cluster().enabled_hypervisors.clone();
        let ask = |handle: NodeHandle| {
            let request = InstanceListRequest { hypervisors: hypervisors.clone() };
            async move { handle.instance_list(request).await.map(NodeGuests::new) }
        };
        Guests::new(all(&self.guests, nodes, which, ask).await)
    }

    /// Memory, processors and storage space of nodes. Nodes that are marked offline are not asked.
    pub(crate) async fn facts(&self, nodes: &Nodes, config: &Config, which: &[&Arc<Node>]) -> Answers<NodeInfoReply> {
        let request =
            NodeInfoRequest { hypervisors: config.cluster().enabled_hypervisors.clone(), storage: storage_units(config.cluster()) };
        all(&self.facts, nodes, which, |handle: NodeHandle| {
            let request = request.clone();
            async move { handle.node_info(request).await }
        })
        .await
    }

    /// The OS definitions of nodes. Nodes that are marked offline are not asked.
    pub(crate) async fn os(&self, nodes: &Nodes, which: &[&Arc<Node>]) -> Answers<OsDiagnoseReply> {
        all(&self.os, nodes, which, |handle: NodeHandle| async move { handle.os_diagnose(Empty {}).await }).await
    }

    /// The files in the export directories of nodes. Nodes that are marked offline are not asked.
    pub(crate) async fn exports(&self, nodes: &Nodes, which: &[&Arc<Node>]) -> Answers<StorageListReply> {
        let unit = export_unit();
        all(&self.exports, nodes, which, |handle: NodeHandle| {
            let request = StorageListRequest { storage: vec![unit.clone()] };
            async move { handle.storage_list(request).await }
        })
        .await
    }
}

/// The export directory as a storage unit; nodes put their own root before it.
pub(crate) fn export_unit() -> StorageUnit {
    StorageUnit { r#type: "file".to_owned(), key: Paths::new(None).export_dir().to_string_lossy().into_owned() }
}

/// Asks nodes at the same time.
async fn all<T, F>(flights: &Flights<T>, nodes: &Nodes, which: &[&Arc<Node>], ask: impl Fn(NodeHandle) -> F) -> Answers<T>
where
    T: Send + Sync + 'static,
    F: Future<Output = Result<T, NodeError>> + Send + 'static,
{
    let asked = which.iter().filter(|node| !node.offline).filter_map(|node| {
        let handle = nodes.handle(node).inspect_err(|error| tracing::warn!(node = %node.name, %error, "cannot ask a node")).ok()?;
        let call = ask(handle);
        let call = async move {
            match tokio::time::timeout(DEADLINE, call).await {
                Ok(answer) => answer.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {} s", DEADLINE.as_secs())),
            }
        };
        Some(async move { Some((node.uuid.clone(), flights.ask(&node.uuid, call).await?)) })
    });
    join_all(asked).await.into_iter().flatten().collect()
}

impl Guests {
    /// Adds the consoles of those of `rows` that run on their primary nodes.
    pub(crate) async fn ask_consoles(&mut self, nodes: &Nodes, config: &Config, rows: &[&Instance]) {
        let running = rows.iter().filter(|instance| self.runs_on_primary(instance));
        let calls: Vec<_> = running
            .filter_map(|instance| {
                let handle = nodes.by_uuid(config, &instance.primary_node).ok()?;
                let reference = InstanceRef {
                    name: instance.name.to_string(),
                    uuid: instance.uuid.to_string(),
                    hypervisor: instance.hypervisor.clone(),
                };
                let uuid = instance.uuid.clone();
                Some(async move {
                    match tokio::time::timeout(DEADLINE, handle.instance_console_info(reference)).await {
                        Ok(Ok(info)) => Some((uuid, info)),
                        Ok(Err(error)) => {
                            tracing::warn!(instance = %uuid, %error, "cannot ask for a console");
                            None
                        }
                        Err(_) => None,
                    }
                })
            })
            .collect();
        let answers: Vec<_> = futures::stream::iter(calls).buffer_unordered(CONSOLES_AT_ONCE).collect().await;
        self.set_consoles(answers.into_iter().flatten().collect());
    }
}

/// The storage of which nodes are asked how much is free: one unit for each enabled disk template that has its space on the
/// nodes, in the order of the templates.
pub(crate) fn storage_units(cluster: &Cluster) -> Vec<StorageUnit> {
    let unit = |template: &String| {
        let (kind, key) = match template.as_str() {
            "plain" | "drbd" => ("plain", cluster.volume_group_name.as_deref().unwrap_or_default()),
            "file" => ("file", cluster.file_storage_dir.as_str()),
            "sharedfile" => ("sharedfile", cluster.shared_file_storage_dir.as_str()),
            "gluster" => ("gluster", cluster.gluster_storage_dir.as_str()),
            _ => return None,
        };
        (!key.is_empty()).then(|| StorageUnit { r#type: kind.to_owned(), key: key.to_owned() })
    };
    let mut units: Vec<StorageUnit> = Vec::new();
    for unit in cluster.enabled_disk_templates.iter().filter_map(unit) {
        if !units.contains(&unit) {
            units.push(unit);
        }
    }
    units
}
