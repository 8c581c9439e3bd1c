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

    /// Whether it is over: a process that is ending has no command line any more, but may still hold its files and locks.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let text = std::fs::read_to_string(self.node.run_dir.join(format!("{}.pid", self.name))).unwrap_or_default();
        text.split_whitespace().next().and_then(|pid| pid.parse().ok()).is_none_or(|pid| self.has_ended(pid))
    }

    fn has_ended(&self, pid: i32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in parentheses may hold anything.
        let state = stat.rsplit_once(')').and_then(|(_, fields)| fields.trim_start().chars().next());
        let is_another = std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty()) && !self.is_this(pid);
        is_another || matches!(state, None | Some('Z' | 'X'))
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
        wait_for(&format!("the end of {} on {}", self.name, self.node.name), Duration::from_secs(10), || self.has_ended(pid).then_some(()))
    }

    /// Lets it stand still, as a machine does that hangs: connections stay, nobody answers.
    ///
    /// # Panics
    /// It does not run.
    #[track_caller]
    pub fn freeze(&self) {
        self.send(Signal::SIGSTOP);
        let still = wait_for(&format!("{} to stand still", self.name), Duration::from_secs(10), || self.is_stopped().then_some(()));
        still.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// It does not run.
    #[track_caller]
    pub fn thaw(&self) {
        self.send(Signal::SIGCONT);
    }

    #[track_caller]
    fn send(&self, signal: Signal) {
        let Some(pid) = self.pid() else { panic!("{} does not run on {}", self.name, self.node.name) };
        kill(Pid::from_raw(pid), signal).unwrap_or_else(|error| panic!("{} on {}: {error}", self.name, self.node.name));
    }

    /// Whether it stands still after a SIGSTOP.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let Some(pid) = self.pid() else { return false };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in parentheses may hold anything.
        stat.rsplit_once(')').is_some_and(|(_, fields)| fields.trim_start().starts_with('T'))
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
