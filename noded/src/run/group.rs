//! Process groups: ending a program together with all it has started.

use std::fs;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// A running group; killed when dropped before its leader has ended.
pub(super) struct Group {
    leader: Option<Pid>,
}

impl Group {
    pub(super) fn new(leader: Option<u32>) -> Self {
        Self { leader: leader.and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw) }
    }

    /// The leader was waited for: its number may belong to somebody else from now on.
    pub(super) fn disarm(&mut self) {
        self.leader = None;
    }

    pub(super) fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    pub(super) fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            let _ = killpg(leader, signal); // an error means that nobody is left
        }
    }

    pub(super) fn identity(&self) -> Option<Started> {
        let leader = self.leader?.as_raw();
        Some(Started { group: leader, start_ticks: stat(leader)?.start_ticks, boot_id: boot_id() })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program that was started once, told apart from a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    group: i32,
    pub(super) start_ticks: u64,
    boot_id: String,
}

/// What is still there of a program that an earlier agent has started.
#[derive(Debug, PartialEq, Eq)]
pub enum Leftover {
    /// Nothing.
    None,
    /// This many processes were killed.
    Killed(usize),
}

impl Started {
    /// Kills what still runs of this program's group, if that is certain to be it: the same boot of the machine, and no
    /// process in the group that is older than the program was.
    #[must_use]
    pub fn kill_leftover(&self) -> Leftover {
        if self.boot_id != boot_id() {
            return Leftover::None;
        }
        if stat(self.group).is_some_and(|leader| leader.start_ticks != self.start_ticks) {
            return Leftover::None; // the number belongs to another program now
        }
        let members = members(self.group);
        if members.is_empty() || members.iter().any(|member| member.start_ticks < self.start_ticks) {
            return Leftover::None;
        }
        let _ = killpg(Pid::from_raw(self.group), Signal::SIGKILL); // an error means that it ended meanwhile
        Leftover::Killed(members.len())
    }
}

struct Stat {
    group: i32,
    start_ticks: u64,
    zombie: bool,
}

/// Fields of `/proc/PID/stat`; the name in parentheses may hold anything, so what follows the last one counts.
fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Stat { zombie: *fields.first()? == "Z", group: fields.get(2)?.parse().ok()?, start_ticks: fields.get(19)?.parse().ok()? })
}

fn members(group: i32) -> Vec<Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(stat).filter(|stat| stat.group == group && !stat.zombie).collect()
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}
