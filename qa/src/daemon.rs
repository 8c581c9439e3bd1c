//! One daemon of one node: killed and started as a fault or an operator would.

use std::time::Duration;

use anyhow::{Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cluster::{Cluster, Node};
use crate::output::{self, Output};
use crate::wait::wait_for;

pub const CONFD: &str = "gannet-confd";
pub const MASTERD: &str = "gannet-masterd";
pub const NODED: &str = "gannet-noded";
pub const RAPI: &str = "gannet-rapi";

const START_LIMIT: Duration = Duration::from_secs(90);

/// A daemon, running or not.
#[derive(Debug, Clone, Copy)]
pub struct Daemon<'c> {
    pub cluster: &'c Cluster,
    pub node: &'c Node,
    pub name: &'static str,
}

impl Daemon<'_> {
    /// Its process, found by its pid file and checked by its program and its node.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        let text = std::fs::read_to_string(self.node.run_dir.join(format!("{}.pid", self.name))).ok()?;
        let pid: i32 = text.split_whitespace().next()?.parse().ok()?;
        self.is_this(pid).then_some(pid)
    }

    fn is_this(&self, pid: i32) -> bool {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let program = command.split(|byte| *byte == 0).next().unwrap_or_default();
        let mark = format!("GANETI_ROOTDIR={}", self.node.root.display());
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        program.ends_with(self.name.as_bytes()) && environment.split(|byte| *byte == 0).any(|pair| pair == mark.as_bytes())
    }

    /// Ends it at once; what it had begun stays as it is.
    ///
    /// # Panics
    /// It does not run.
    #[track_caller]
    pub fn kill9(&self) {
        let Some(pid) = self.pid() else { panic!("{} does not run on {}", self.name, self.node.name) };
        // ESRCH: it ended by itself meanwhile.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        self.wait_gone(pid).unwrap_or_else(|error| panic!("{error:#}"));
    }

    fn wait_gone(&self, pid: i32) -> Result<()> {
        wait_for(&format!("the end of {} on {}", self.name, self.node.name), Duration::from_secs(10), || (!self.is_this(pid)).then_some(()))
    }

    /// Waits until it has died by itself.
    ///
    /// # Errors
    /// It lives on.
    pub fn wait_dead(&self, limit: Duration) -> Result<()> {
        wait_for(&format!("the end of {} on {}", self.name, self.node.name), limit, || self.pid().is_none().then_some(()))
    }

    /// Starts it as init would, and waits until it is ready.
    ///
    /// # Panics
    /// It does not become ready.
    #[track_caller]
    pub fn start(&self) {
        self.try_start(&[]).unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// As [`Self::start`], with additions to its environment.
    ///
    /// # Errors
    /// It does not become ready.
    pub fn try_start(&self, environment: &[(&str, &str)]) -> Result<()> {
        let output = self.daemon_util("start", environment)?;
        if output.code() != 0 {
            bail!("{}", output.describe());
        }
        Ok(())
    }

    /// Stops it as an operator would.
    ///
    /// # Panics
    /// It does not end.
    #[track_caller]
    pub fn stop(&self) {
        let output = self.daemon_util("stop", &[]).unwrap_or_else(|error| panic!("{error:#}"));
        let _ = output.ok();
    }

    fn daemon_util(&self, verb: &str, environment: &[(&str, &str)]) -> Result<Output> {
        let mut command = self.cluster.command(self.node, "gnt");
        command.args(["daemon-util", verb, self.name]).envs(environment.iter().copied());
        output::run(&mut command, START_LIMIT)
    }
}
