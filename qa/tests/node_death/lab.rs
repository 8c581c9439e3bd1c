//! A cluster of fake nodes with short leases, and a look at its guests from outside.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use gannet_core::luxi::{Client, Method};
use gannet_qa::daemon::{Daemon, NODED};
use gannet_qa::{Cluster, jobs, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

/// The longest that anything takes; only a failure waits for it.
pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) struct Lab {
    pub(crate) cluster: Cluster,
}

/// Looks at all guests of all nodes all the time.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Option<String>>,
}

impl Watch {
    /// Ends the watch: no instance was ever on two nodes.
    #[track_caller]
    pub(crate) fn never_twice(self) {
        self.stop.store(true, Ordering::Relaxed);
        let twice = self.thread.join().unwrap();
        assert_eq!(twice, None);
    }
}

impl Lab {
    /// All nodes are candidates.
    #[track_caller]
    pub(crate) fn new(nodes: usize) -> Self {
        let cluster = Cluster::with_candidates(nodes, nodes).unwrap_or_else(|error| panic!("no cluster: {error:#}"));
        let votes = || {
            let output = cluster.on(&cluster.nodes[0], "gannet-confd", &["status"]);
            (output.stdout.lines().filter(|line| line.contains("voter")).count() == nodes).then_some(())
        };
        wait_for("all voters", SOON, votes).unwrap();
        Self { cluster }
    }

    pub(crate) fn name(&self, node: usize) -> String {
        self.cluster.nodes[node].name.clone()
    }

    pub(crate) fn daemon(&self, node: usize, name: &'static str) -> Daemon<'_> {
        self.cluster.daemon(&self.cluster.nodes[node], name)
    }

    #[track_caller]
    pub(crate) fn create(&self, name: &str, node: usize) {
        let op = json!({"OP_ID": "OP_INSTANCE_CREATE", "mode": "create", "instance_name": format!("{name}.example.com"),
            "disk_template": "sharedfile", "disks": [{"size": 16}], "nics": [], "os_type": "recording+default", "pnode": self.name(node),
            "hypervisor": "fake", "name_check": false, "ip_check": false, "beparams": {"memory": 128}});
        let ended = jobs::run(&mut self.cluster.luxi(), &[op], SOON).unwrap();
        assert_eq!(ended.status, "success", "{}", ended.text());
    }

    /// Sets what automatic failover has to know.
    #[track_caller]
    pub(crate) fn tags(&self, kind: &str, name: &str, settings: &[&str]) {
        let tags: Vec<String> = settings.iter().map(|setting| format!("gannet:auto-failover:{setting}")).collect();
        let name = if name.is_empty() { json!(null) } else { json!(format!("{name}.example.com")) };
        let op = json!({"OP_ID": "OP_TAGS_SET", "kind": kind, "name": name, "tags": tags});
        let ended = jobs::run(&mut self.cluster.luxi(), &[op], SOON).unwrap();
        assert_eq!(ended.status, "success", "{}", ended.text());
    }

    /// Short times.
    #[track_caller]
    pub(crate) fn quick(&self) {
        self.tags("cluster", "", &["dead-after:5", "lease:10"]);
    }

    /// Waits until a node guards these instances, and the store has it.
    #[track_caller]
    pub(crate) fn wait_guarded(&self, node: usize, names: &[&str]) {
        let file = self.cluster.at(&self.cluster.nodes[node], "/run/ganeti/gannet-lease.json");
        let guarded = || {
            let text = std::fs::read_to_string(&file).ok()?;
            names.iter().all(|name| text.contains(&format!("\"{name}.example.com\""))).then_some(())
        };
        wait_for(&format!("{} to guard {names:?}", self.name(node)), SOON, guarded).unwrap();
        // The answer to this renewal tells the master, which writes it down.
        std::thread::sleep(Duration::from_secs(2));
    }

    /// The keeper's process.
    pub(crate) fn keeper(&self, node: usize) -> Option<i32> {
        let path = self.cluster.at(&self.cluster.nodes[node], "/run/ganeti/gannet-lease-keeper.pid");
        let pid: i32 = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        line.split(|byte| *byte == 0).any(|word| word == b"lease-keeper").then_some(pid)
    }

    pub(crate) fn guest_file(&self, name: &str, node: usize) -> PathBuf {
        self.cluster.at(&self.cluster.nodes[node], &format!("/run/ganeti/fake-hypervisor/{name}.example.com"))
    }

    /// Where guests of this name are.
    pub(crate) fn guest_nodes(&self, name: &str) -> Vec<usize> {
        (0..self.cluster.nodes.len()).filter(|node| self.guest_file(name, *node).exists()).collect()
    }

    /// Waits until it runs on another node than `dead`, by its record and in truth.
    #[track_caller]
    pub(crate) fn wait_elsewhere(&self, name: &str, dead: usize) {
        let elsewhere = || {
            let rows =
                self.cluster.luxi().call(Method::QueryInstances, &json!([[format!("{name}.example.com")], ["pnode"], false])).ok()?;
            let node = rows[0][0].as_str()?.to_owned();
            let at = self.guest_nodes(name);
            (node != self.name(dead) && at.len() == 1 && self.name(at[0]) == node).then_some(())
        };
        let found = wait_for(&format!("{name} elsewhere"), SOON, elsewhere);
        found.unwrap_or_else(|error| panic!("{error:#}; guests on {:?}", self.guest_nodes(name)));
    }

    pub(crate) fn watch(&self) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let dirs: Vec<PathBuf> = self.cluster.nodes.iter().map(|node| self.cluster.at(node, "/run/ganeti/fake-hypervisor")).collect();
        let seen = stop.clone();
        let names = |dir: &PathBuf| {
            let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
            files.map(|file| file.file_name().to_string_lossy().into_owned()).filter(|name| !name.starts_with('.')).collect::<Vec<_>>()
        };
        let thread = std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                for (at, dir) in dirs.iter().enumerate() {
                    for name in names(dir) {
                        // Both are looked at while both are there.
                        let other = dirs.iter().enumerate().find(|(other, dir)| *other != at && dir.join(&name).exists());
                        if let Some((other, _)) = other
                            && dir.join(&name).exists()
                        {
                            return Some(format!("{name} on nodes {at} and {other}"));
                        }
                    }
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            None
        });
        Watch { stop, thread }
    }

    /// Waits for another master among these nodes.
    #[track_caller]
    pub(crate) fn set_master(&self, among: &[usize]) {
        let found = wait_for("a master", SOON, || {
            among.iter().find(|at| {
                let client = Client::connect(&self.cluster.nodes[**at].luxi_socket).ok();
                client.is_some_and(|mut client| client.call(Method::QueryClusterInfo, &json!([])).is_ok())
            })
        });
        self.cluster.set_master(*found.unwrap());
    }

    /// Waits until verify says it.
    #[track_caller]
    pub(crate) fn told(&self, text: &str) {
        let mut last = String::new();
        let told = wait_for(&format!("«{text}»"), SOON, || {
            let output = self.cluster.line("gnt-cluster verify");
            last = output.describe();
            output.text().contains(text).then_some(())
        });
        told.unwrap_or_else(|error| panic!("{error:#}: {last}"));
    }

    fn program(&self) -> PathBuf {
        self.cluster.nodes[0].root.join("oob")
    }

    pub(crate) fn power_log(&self) -> PathBuf {
        self.cluster.nodes[0].root.join("oob.log")
    }

    /// Gives a node an out-of-band program: without power, its guests are gone.
    #[track_caller]
    pub(crate) fn out_of_band(&self, node: usize) {
        let guests = self.cluster.at(&self.cluster.nodes[node], "/run/ganeti/fake-hypervisor");
        let (log, root) = (self.power_log(), self.cluster.nodes[0].root.clone());
        let script = format!(
            "#!/bin/sh\necho \"$1 $2\" >> '{log}'\n[ -e '{root}/oob.broken' ] && {{ echo 'no route to the controller'; exit 1; }}\n\
             case $1 in\npower-off) rm -f '{guests}'/* ; touch '{root}/oob.off' ;;\n\
             power-status) if [ -e '{root}/oob.off' ]; then echo '{{\"powered\": false}}'; else echo '{{\"powered\": true}}'; fi ;;\n\
             *) exit 1 ;;\nesac\n",
            log = log.display(),
            root = root.display(),
            guests = guests.display()
        );
        std::fs::write(self.program(), script).unwrap();
        std::fs::set_permissions(self.program(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let line = format!("gnt-node modify --node-parameters=oob_program={} {}", self.program().display(), self.name(node));
        let _ = self.cluster.line(&line).ok();
    }

    pub(crate) fn break_power(&self, broken: bool) {
        let path = self.cluster.nodes[0].root.join("oob.broken");
        if broken {
            std::fs::write(path, "").unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }

    fn signal(&self, node: usize, signal: Signal) {
        for pid in [self.keeper(node), self.daemon(node, NODED).pid()].into_iter().flatten() {
            kill(Pid::from_raw(pid), signal).unwrap();
        }
    }

    /// Kills the keeper.
    pub(crate) fn kill_keeper(&self, node: usize) {
        kill(Pid::from_raw(self.keeper(node).unwrap()), Signal::SIGKILL).unwrap();
    }

    /// The agent and the keeper stand still.
    pub(crate) fn freeze_all(&self, node: usize) {
        self.signal(node, Signal::SIGSTOP);
    }

    /// They end.
    pub(crate) fn end_all(&self, node: usize) {
        self.signal(node, Signal::SIGKILL);
    }

    /// The keeper of a node can write nothing down.
    pub(crate) fn block_keeper(&self, node: usize) {
        std::fs::create_dir_all(self.cluster.at(&self.cluster.nodes[node], "/run/ganeti/gannet-lease.json.new")).unwrap();
    }
}
