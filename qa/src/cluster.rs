//! A cluster of fake nodes on loopback, which ends with its value.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use gannet_core::luxi;
use serde::Deserialize;

use crate::daemon::Daemon;
use crate::output::{self, Output};
use crate::programs::Programs;
use crate::reaper::Reaper;
use crate::{os, rapi};

/// The mark that processes of a demo cluster carry; clusters cannot be started from inside one.
pub const MARK: &str = "GANNET_DEMO_NODE";
/// A command that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(120);
const START_LIMIT: Duration = Duration::from_secs(180);
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A node, as `cluster.json` describes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Node {
    pub name: String,
    pub ip: std::net::Ipv4Addr,
    pub root: PathBuf,
    pub data_dir: PathBuf,
    pub run_dir: PathBuf,
    pub log_dir: PathBuf,
    pub luxi_socket: PathBuf,
}

/// Where RAPI is, and a user that may do everything.
#[derive(Debug, Clone, Deserialize)]
pub struct Rapi {
    pub url: String,
    pub user: String,
    pub password: String,
}

#[derive(Debug, Deserialize)]
struct ClusterFile {
    name: String,
    nodes: Vec<Node>,
    rapi: Rapi,
    bin_dir: PathBuf,
}

/// A running cluster. Dropped, it is stopped and nothing of it is left.
#[derive(Debug)]
pub struct Cluster {
    pub name: String,
    /// The first one is made the master.
    pub nodes: Vec<Node>,
    pub rapi: Rapi,
    pub dir: PathBuf,
    bin_dir: PathBuf,
    reaper: Reaper,
    /// The index of the node that is the master, as far as the test knows.
    master: AtomicUsize,
}

impl Cluster {
    /// Starts a cluster of `nodes` fake nodes.
    ///
    /// # Panics
    /// It does not come up. The message has what was said, and the logs are kept.
    #[track_caller]
    #[must_use]
    pub fn fake(nodes: usize) -> Self {
        match Self::start(nodes) {
            Ok(cluster) => cluster,
            Err(error) => panic!("no cluster: {error:#}"),
        }
    }

    /// Starts a cluster of `nodes` fake nodes, of which only the first can be the master.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(nodes: usize) -> Result<Self> {
        Self::with_candidates(nodes, 1)
    }

    /// Starts a cluster of `nodes` fake nodes, of which so many are master candidates. They are members of the state's group a
    /// little later.
    ///
    /// # Errors
    /// It does not come up.
    pub fn with_candidates(nodes: usize, candidates: usize) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let programs = Programs::find()?;
        let own = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        // Short: UNIX sockets are below it.
        let dir = PathBuf::from(format!("/tmp/gannet-qa-{own}"));
        let logs = std::env::temp_dir().join(format!("gannet-qa-logs/{own}"));
        let reaper = Reaper::watch(&programs, &dir, &logs)?;
        let mut command = Command::new(&programs.xtask);
        command
            .args(["demo", "--fake", "--bare", "--nodes", &nodes.to_string(), "--candidates", &candidates.to_string(), "--dir"])
            .arg(&dir);
        command.arg("--bin-dir").arg(&programs.bin_dir).env_remove(MARK);
        let output = output::run(&mut command, START_LIMIT)?;
        if output.code() != 0 {
            let logs = reaper.keep_logs().display().to_string();
            anyhow::bail!("{}\nthe logs are in {logs}", output.describe());
        }
        let path = dir.join("cluster.json");
        let file: ClusterFile = serde_json::from_slice(&std::fs::read(&path).with_context(|| format!("no {}", path.display()))?)?;
        let cluster =
            Self { name: file.name, nodes: file.nodes, rapi: file.rapi, dir, bin_dir: file.bin_dir, reaper, master: AtomicUsize::new(0) };
        for node in &cluster.nodes {
            os::install_all(&node.root)?;
        }
        Ok(cluster)
    }

    /// The node that is the master: the first one, unless the test says otherwise.
    #[must_use]
    pub fn master(&self) -> &Node {
        &self.nodes[self.master.load(Ordering::Relaxed)]
    }

    /// Another node is the master now.
    pub fn set_master(&self, index: usize) {
        self.master.store(index, Ordering::Relaxed);
    }

    /// Runs an operator's command on the master, e.g. `gnt("gnt-instance", &["list"])`.
    ///
    /// # Panics
    /// It cannot be run, or does not end in time.
    #[track_caller]
    pub fn gnt(&self, program: &str, arguments: &[&str]) -> Output {
        self.on(self.master(), program, arguments)
    }

    /// As [`Self::gnt`], with the words of a whole line (separated by blanks; no quoting).
    ///
    /// # Panics
    /// As [`Self::gnt`].
    #[track_caller]
    pub fn line(&self, line: &str) -> Output {
        let words: Vec<&str> = line.split_whitespace().collect();
        self.gnt(words[0], &words[1..])
    }

    /// Runs a command on a node.
    ///
    /// # Panics
    /// As [`Self::gnt`].
    #[track_caller]
    pub fn on(&self, node: &Node, program: &str, arguments: &[&str]) -> Output {
        match output::run(self.command(node, program).args(arguments), LIMIT) {
            Ok(output) => output,
            Err(error) => panic!("{error:#}"),
        }
    }

    /// A command on a node, with the environment that a login there has.
    #[must_use]
    pub fn command(&self, node: &Node, program: &str) -> Command {
        let own = self.bin_dir.join(program);
        let mut command = if own.exists() { Command::new(own) } else { Command::new(program) };
        command.env_clear().env("PATH", format!("{}:{SYSTEM_PATH}", self.bin_dir.display())).env("LANG", "C.UTF-8");
        command.env("HOME", &node.root).env(MARK, &node.root).env("GANETI_ROOTDIR", &node.root).env("GANETI_HOSTNAME", &node.name);
        command
    }

    /// A connection to the master daemon.
    ///
    /// # Panics
    /// Nobody listens.
    #[track_caller]
    #[must_use]
    pub fn luxi(&self) -> luxi::Client {
        match luxi::Client::connect(&self.master().luxi_socket) {
            Ok(client) => client,
            Err(error) => panic!("{error}"),
        }
    }

    /// A connection to RAPI.
    ///
    /// # Panics
    /// Nobody listens.
    #[track_caller]
    #[must_use]
    pub fn rapi(&self) -> rapi::Connection {
        match rapi::Connection::open(self) {
            Ok(connection) => connection,
            Err(error) => panic!("{error:#}"),
        }
    }

    /// The daemon of a node.
    #[must_use]
    pub fn daemon<'c>(&'c self, node: &'c Node, name: &'static str) -> Daemon<'c> {
        Daemon { cluster: self, node, name }
    }

    /// A path below a node's root.
    #[must_use]
    pub fn at(&self, node: &Node, absolute: &str) -> PathBuf {
        node.root.join(absolute.trim_start_matches('/'))
    }

    /// Where the shared file storage of all nodes is.
    #[must_use]
    pub fn shared_storage(&self) -> PathBuf {
        self.at(&self.nodes[0], "/srv/ganeti/shared-file-storage")
    }

    /// The logs are to be kept when the cluster ends; says where they will be.
    pub fn keep_logs(&self) -> &Path {
        self.reaper.keep_logs()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the logs of the cluster's daemons are in {}", self.keep_logs().display());
        }
    }
}
