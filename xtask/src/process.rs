//! Processes, told apart safely: a pid counts only together with its start time, and a process belongs to a demo node only
//! when it carries that node's mark in its environment, sits in its pid namespace, or descends from such a process.
//!
//! Nothing here ever signals a process by name.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// The environment variable that marks what belongs to a demo node; its value is the node's root directory.
pub const MARK: &str = "GANNET_DEMO_NODE";

/// A process that cannot be confused with a later one of the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    pub pid: i32,
    /// Clock ticks since boot, field 22 of /proc/PID/stat.
    pub start: u64,
}

#[derive(Debug, Clone, Copy)]
struct Stat {
    identity: Identity,
    parent: i32,
    zombie: bool,
}

impl Identity {
    /// The process that has this number now.
    pub fn of(pid: i32) -> Option<Self> {
        stat(pid).map(|stat| stat.identity)
    }

    /// Whether exactly this process still runs (a zombie does not).
    pub fn is_running(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.identity == *self && !stat.zombie)
    }

    /// Sends a signal if it is still this process.
    pub fn signal(&self, signal: Signal) {
        if self.is_running() {
            // ESRCH: it ended meanwhile, which is what the caller sees next anyway.
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }

    pub fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    pub fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_vec(self).map_err(io::Error::other)?)
    }

    /// Name and arguments, for messages.
    pub fn describe(&self) -> String {
        let words = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let words: Vec<_> = words.split(|b| *b == 0).filter(|w| !w.is_empty()).map(String::from_utf8_lossy).collect();
        format!("{} ({})", self.pid, words.join(" ").chars().take(80).collect::<String>())
    }
}

/// Everything that descends from `pid`, without itself.
pub fn descendants(pid: i32) -> Vec<Identity> {
    let all = all();
    let roots = HashSet::from([pid]);
    with_descendants(&all, roots).into_iter().filter(|p| p.pid != pid).collect()
}

/// All processes whose environment carries [`MARK`] with `root` or something below it, and their descendants.
/// Leaves out the caller and its ancestors.
pub fn marked(root: &Path) -> Vec<Identity> {
    let all = all();
    let roots = all.keys().copied().filter(|pid| has_mark(*pid, root)).collect();
    let own = ancestors_and_self(&all);
    with_descendants(&all, roots).into_iter().filter(|p| !own.contains(&p.pid)).collect()
}

/// All processes in the pid namespace of `anchor`.
pub fn in_namespace_of(anchor: i32) -> Vec<Identity> {
    let Ok(wanted) = fs::read_link(format!("/proc/{anchor}/ns/pid")) else { return Vec::new() };
    all()
        .values()
        .filter(|stat| !stat.zombie && fs::read_link(format!("/proc/{}/ns/pid", stat.identity.pid)).is_ok_and(|ns| ns == wanted))
        .map(|stat| stat.identity)
        .collect()
}

fn all() -> HashMap<i32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return HashMap::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may itself contain blanks and parentheses.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Stat {
        identity: Identity { pid, start: fields.get(19)?.parse().ok()? },
        parent: fields.get(1)?.parse().ok()?,
        zombie: matches!(*fields.first()?, "Z" | "X"),
    })
}

fn has_mark(pid: i32, root: &Path) -> bool {
    let Ok(environ) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    environ
        .split(|byte| *byte == 0)
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .any(|pair| pair.strip_prefix(MARK).and_then(|rest| rest.strip_prefix('=')).is_some_and(|value| Path::new(value).starts_with(root)))
}

fn with_descendants(all: &HashMap<i32, Stat>, roots: HashSet<i32>) -> Vec<Identity> {
    let mut found = roots;
    loop {
        let before = found.len();
        found.extend(all.iter().filter(|(_, stat)| found.contains(&stat.parent)).map(|(pid, _)| *pid).collect::<Vec<_>>());
        if found.len() == before {
            break;
        }
    }
    found.iter().filter_map(|pid| all.get(pid)).filter(|stat| !stat.zombie).map(|stat| stat.identity).collect()
}

fn ancestors_and_self(all: &HashMap<i32, Stat>) -> HashSet<i32> {
    let mut own = HashSet::new();
    let mut next = Some(std::process::id().cast_signed());
    while let Some(pid) = next {
        if !own.insert(pid) {
            break;
        }
        next = all.get(&pid).map(|stat| stat.parent).filter(|parent| *parent > 0);
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::Duration;

    #[test]
    fn a_reused_number_is_another_process() {
        let me = Identity::of(std::process::id().cast_signed()).expect("we run");
        assert!(me.is_running());
        assert!(!Identity { start: me.start + 1, ..me }.is_running());
    }

    #[test]
    fn marked_processes_are_found_with_their_children_and_no_others() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().join("node1");
        // The grandchild cleans its environment, as OS scripts do.
        let spawn = |mark: &Path| Command::new("sh").args(["-c", "env -i sleep 60 & wait"]).env(MARK, mark).spawn().expect("sh runs");
        let mut ours = spawn(&root);
        let mut other = spawn(&dir.path().join("node10"));
        let found =
            crate::run::wait_for("two processes", Duration::from_secs(10), || Some(marked(&root)).filter(|f| f.len() == 2)).expect("found");
        assert!(found.iter().any(|p| p.pid == ours.id().cast_signed()));
        assert!(found.iter().all(|p| p.pid != other.id().cast_signed()), "node10 is not below node1");
        for process in marked(dir.path()) {
            process.kill();
        }
        ours.wait().expect("ended");
        other.wait().expect("ended");
        assert!(marked(dir.path()).is_empty());
    }
}
