//! Daemons as detached processes.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use super::notify::Notify;
use super::process::{is_program, running};
use super::{Daemon, Error};
use crate::environment::Environment;

/// How the C library's allocator keeps memory: one pool for all threads instead of one for each, and what was freed goes back
/// to the system. With 1,000 instances the four daemons take 95 MiB so, and 104 MiB without; confd, whose threads take turns,
/// saves most. Whoever set one of these keeps it.
const ALLOCATOR: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "131072"), ("MALLOC_MMAP_THRESHOLD_", "131072")];

/// Between two looks at a process.
const POLL: Duration = Duration::from_millis(20);

/// Starts a daemon in a session of its own and waits until it is ready.
pub(super) fn start(daemon: &'static Daemon, env: &Environment, timeout: Duration) -> Result<(), Error> {
    if running(daemon, env).is_some() {
        return Ok(());
    }
    let run_dir = env.paths().run_dir();
    std::fs::create_dir_all(&run_dir).map_err(|source| Error::Io { what: format!("cannot make {}", run_dir.display()), source })?;
    let socket = run_dir.join(format!("{}.notify", daemon.name));
    let notify =
        Notify::bind(socket.clone()).map_err(|source| Error::Io { what: format!("cannot listen on {}", socket.display()), source })?;
    let (log, errors) = open_log(daemon, env)?;
    let program = env.program(daemon.name);
    // What our own starter holds back must not be held back from the daemon: it could not be stopped.
    let mut signals = SigSet::empty();
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().for_each(|signal| signals.add(signal));
    signals.thread_unblock().map_err(|source| Error::Io { what: "cannot take signals off the mask".to_owned(), source: source.into() })?;
    // `setsid` takes the daemon off this terminal and its Ctrl-C; the program is that of util-linux.
    let child = Command::new("setsid")
        .arg(&program)
        .env("NOTIFY_SOCKET", notify.path())
        .envs(ALLOCATOR.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .map_err(|source| Error::Spawn { program: program.display().to_string(), source })?;
    let pid = child.id();
    wait_ready(daemon, child, &notify, timeout, &log)?;
    keep_pid(daemon, env, pid)
}

/// Writes the pid file for a daemon that does not do it itself, so that it is found again.
fn keep_pid(daemon: &Daemon, env: &Environment, pid: u32) -> Result<(), Error> {
    let path = env.paths().pid_file(daemon.name);
    let is_kept = std::fs::read_to_string(&path).is_ok_and(|text| text.trim() == pid.to_string());
    if is_kept {
        return Ok(());
    }
    std::fs::write(&path, format!("{pid}\n")).map_err(|source| Error::Io { what: format!("cannot write {}", path.display()), source })
}

/// What a daemon says before its own log is open goes into this file.
fn open_log(daemon: &Daemon, env: &Environment) -> Result<(String, File), Error> {
    let dir = env.paths().log_dir();
    let path: PathBuf = dir.join(format!("{}.start.log", daemon.name));
    let open = || {
        std::fs::create_dir_all(&dir)?;
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&path)
    };
    let file = open().map_err(|source| Error::Io { what: format!("cannot write {}", path.display()), source })?;
    Ok((format!("{} or the log in {}", path.display(), dir.display()), file))
}

fn wait_ready(daemon: &'static Daemon, mut child: Child, notify: &Notify, timeout: Duration, log: &str) -> Result<(), Error> {
    let socket = |source| Error::Io { what: format!("cannot hear from {}", daemon.name), source };
    let deadline = Instant::now() + timeout;
    while Instant::now() < deadline {
        if notify.is_ready(POLL).map_err(socket)? {
            return Ok(());
        }
        if let Some(status) = child.try_wait().map_err(socket)? {
            // Its last words may still be on the way.
            return match notify.is_ready(POLL).map_err(socket)? {
                true => Ok(()),
                false => Err(Error::Ended { daemon: daemon.name, status, log: log.to_owned() }),
            };
        }
    }
    // It stays for nobody: the next start must find a clean table. If it is gone already, all the better.
    let _ = child.kill();
    let _ = child.wait();
    Err(Error::NotReady { daemon: daemon.name, log: log.to_owned() })
}

/// Stops a daemon, at last by force.
pub(super) fn stop(daemon: &'static Daemon, env: &Environment, timeout: Duration) -> Result<(), Error> {
    let Some(pid) = running(daemon, env) else { return Ok(()) };
    signal(daemon, pid, Signal::SIGTERM)?;
    if !ends(daemon, pid, timeout) {
        signal(daemon, pid, Signal::SIGKILL)?;
        ends(daemon, pid, timeout);
    }
    match std::fs::remove_file(env.paths().pid_file(daemon.name)) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Io { what: format!("cannot remove the pid file of {}", daemon.name), source })
        }
        _ => Ok(()),
    }
}

fn signal(daemon: &'static Daemon, pid: i32, signal: Signal) -> Result<(), Error> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(source) => Err(Error::Signal { daemon: daemon.name, pid, source }),
    }
}

fn ends(daemon: &Daemon, pid: i32, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    while is_program(pid, daemon.name) {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(POLL);
    }
    true
}
