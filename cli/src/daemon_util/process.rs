//! The process of a daemon, found by its pid file.
//!
//! A number alone is no proof: after a restart of the node another process may have it. So the file must be younger than the process,
//! and the process must run the daemon's program.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::Daemon;
use crate::environment::Environment;

/// How much the times of files and processes may differ, as both are rounded.
const SLACK: Duration = Duration::from_secs(2);

/// The process of a running daemon.
pub(super) fn running(daemon: &Daemon, env: &Environment) -> Option<i32> {
    let file = env.paths().pid_file(daemon.name);
    let pid: i32 = std::fs::read_to_string(&file).ok()?.split_whitespace().next()?.parse().ok()?;
    let is_its = pid > 0 && is_program(pid, daemon.name) && began_before(pid, &file);
    is_its.then_some(pid)
}

/// Whether the process runs this program and is no zombie.
pub(super) fn is_program(pid: i32, program: &str) -> bool {
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let first = command.split(|&byte| byte == 0).next().unwrap_or_default();
    let name = first.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    name == program.as_bytes() && state(pid).is_some_and(|state| state != 'Z')
}

fn began_before(pid: i32, file: &Path) -> bool {
    let written = std::fs::metadata(file).and_then(|data| data.modified()).ok();
    match (began(pid), written) {
        (Some(began), Some(written)) => began <= written + SLACK,
        _ => false,
    }
}

/// When a process began.
fn began(pid: i32) -> Option<SystemTime> {
    // Field 22, in clock ticks since the machine's start; 100 a second on every Linux port.
    const TICKS_PER_S: f64 = 100.0;
    let ticks: f64 = stat(pid)?.split_whitespace().nth(19)?.parse().ok()?;
    let boot = std::fs::read_to_string("/proc/stat").ok()?;
    let boot: u64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(boot) + Duration::from_secs_f64(ticks / TICKS_PER_S))
}

fn state(pid: i32) -> Option<char> {
    stat(pid)?.chars().next()
}

/// `/proc/PID/stat` from the state on; the name before it may hold anything.
fn stat(pid: i32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')').map(|(_, rest)| rest.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_began_before_now() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let age = SystemTime::now().duration_since(began(pid).unwrap() - SLACK).unwrap();
        assert!(age < Duration::from_secs(3600), "{age:?}");
        assert_eq!(state(pid).map(|state| "RSD".contains(state)), Some(true));
        assert!(!is_program(pid, "gannet-noded"));
    }
}
