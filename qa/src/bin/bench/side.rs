//! The two that are measured alike: Gannet, and Debian's Ganeti.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use gannet_core::luxi;
use gannet_qa::daemon::{CONFD, MASTERD, NODED, RAPI};
use gannet_qa::peer::{self, Peer};
use gannet_qa::{Cluster, rapi};
use serde_json::{Value, json};

use crate::measure;

/// The order in which Gannet's daemons start.
const ORDER: [&str; 4] = [CONFD, NODED, MASTERD, RAPI];

/// A cluster of one node with the hypervisor `fake`.
pub(crate) enum Side {
    Gannet(Cluster),
    Ganeti(Peer),
}

impl Side {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Gannet(_) => "Gannet",
            Self::Ganeti(_) => "Ganeti 3.0.2",
        }
    }

    pub(crate) fn luxi(&self) -> Result<luxi::Client> {
        match self {
            Self::Gannet(cluster) => Ok(cluster.luxi()),
            Self::Ganeti(peer) => peer.luxi(),
        }
    }

    pub(crate) fn rapi(&self) -> Result<rapi::Connection> {
        match self {
            Self::Gannet(cluster) => Ok(cluster.rapi()),
            Self::Ganeti(peer) => peer.rapi(),
        }
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        match self {
            Self::Gannet(cluster) => cluster.command(cluster.master(), program),
            Self::Ganeti(peer) => peer.command(program),
        }
    }

    /// A job that does nothing: the shortest delay that is allowed.
    pub(crate) fn nothing(&self) -> Value {
        let duration = match self {
            Self::Gannet(_) => 0.0,
            Self::Ganeti(_) => 0.001,
        };
        json!({"OP_ID": "OP_TEST_DELAY", "duration": duration, "on_master": true, "on_nodes": [], "repeat": 0, "interruptible": false,
            "no_locks": true, "reason": []})
    }

    /// A diskless instance that is started; with `install`, its OS is installed by a script that does next to nothing.
    pub(crate) fn create(&self, name: &str, install: bool) -> Value {
        let (os, node) = match self {
            Self::Gannet(cluster) => ("recording+default", cluster.master().name.as_str()),
            Self::Ganeti(_) => ("noop", peer::NODE),
        };
        json!({"OP_ID": "OP_INSTANCE_CREATE", "instance_name": name, "mode": "create", "disk_template": "diskless", "disks": [], "nics": [],
            "os_type": os, "pnode": node, "hypervisor": "fake", "no_install": !install, "start": true, "beparams": {"memory": 8},
            "ip_check": false, "name_check": false, "conflicts_check": false, "wait_for_sync": true, "reason": []})
    }

    /// Brings the number of instances from `have` to `count`; `example` is one of them.
    pub(crate) fn grow(&self, example: &str, have: usize, count: usize) -> Result<()> {
        match self {
            Self::Gannet(_) => measure::create(self, &format!("to{count}-"), count.saturating_sub(have), false).map(drop),
            Self::Ganeti(peer) => peer.grow(example, count),
        }
    }

    /// Resident and proportional memory of each daemon, in KiB.
    pub(crate) fn memory(&self) -> Result<Vec<Memory>> {
        let daemons = match self {
            Self::Gannet(cluster) => {
                let pid = |name| Some((String::from(name), cluster.daemon(cluster.master(), name).pid()?));
                ORDER.into_iter().map(|name| pid(name).with_context(|| format!("{name} has died"))).collect::<Result<_>>()?
            }
            Self::Ganeti(peer) => peer.daemons()?,
        };
        // A process of one job may end while this looks at it.
        let alive = |(_, pid): &(String, i32)| Path::new(&format!("/proc/{pid}")).exists();
        let measured = daemons.into_iter().filter(alive).map(|(name, pid)| (pid, Memory::of(name, pid)));
        measured.filter(|(pid, found)| found.is_ok() || Path::new(&format!("/proc/{pid}")).exists()).map(|(_, found)| found).collect()
    }

    pub(crate) fn stop_daemons(&self) -> Result<()> {
        match self {
            Self::Gannet(cluster) => ORDER.iter().rev().for_each(|name| cluster.daemon(cluster.master(), name).stop()),
            Self::Ganeti(peer) => peer.daemon_util(&["stop-all"])?,
        }
        Ok(())
    }

    pub(crate) fn start_daemons(&self) -> Result<()> {
        match self {
            Self::Gannet(cluster) => ORDER.iter().for_each(|name| cluster.daemon(cluster.master(), name).start()),
            Self::Ganeti(peer) => peer.daemon_util(&["start-all"])?,
        }
        Ok(())
    }
}

/// The memory of a process, in KiB.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    pub(crate) daemon: String,
    pub(crate) rss: u64,
    pub(crate) pss: u64,
}

impl Memory {
    fn of(daemon: String, pid: i32) -> Result<Self> {
        let field = |file: &str, name: &str| -> Result<u64> {
            let path = format!("/proc/{pid}/{file}");
            let text = std::fs::read_to_string(Path::new(&path)).with_context(|| format!("cannot read {path}"))?;
            let line = text.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name} in {path}"))?;
            Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
        };
        Ok(Self { rss: field("status", "VmRSS:")?, pss: field("smaps_rollup", "Pss:")?, daemon })
    }
}
