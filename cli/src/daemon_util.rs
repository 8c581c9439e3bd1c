//! `gnt daemon-util`: starts, stops and checks the daemons of this node.
//!
//! Where systemd runs the machine, it runs the daemons too. Elsewhere (virtual nodes, containers) a daemon is started detached and
//! tells over `NOTIFY_SOCKET` that it is ready; it keeps its process id in a file, by which it is found again.

mod detached;
mod notify;
mod process;
mod systemd;

use std::time::Duration;

use crate::environment::Environment;
use crate::exit::{BAD_OPTION, FAILURE, SUCCESS};
use crate::io::Io;

/// How long a daemon may take until it is ready.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long it may take to end before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// A daemon.
#[derive(Debug)]
pub struct Daemon {
    /// Its program and systemd unit.
    pub name: &'static str,
    /// Ganeti's daemons whose part it has.
    pub aliases: &'static [&'static str],
    /// Whether it runs on the master only.
    pub master_only: bool,
}

/// All daemons, in the order of their start: who is needed comes first.
pub const DAEMONS: &[Daemon] = &[
    Daemon { name: "gannet-confd", aliases: &["ganeti-confd", "ganeti-wconfd"], master_only: true },
    Daemon { name: "gannet-noded", aliases: &["ganeti-noded"], master_only: false },
    Daemon { name: "gannet-masterd", aliases: &["ganeti-luxid", "ganeti-masterd"], master_only: true },
    Daemon { name: "gannet-rapi", aliases: &["ganeti-rapi"], master_only: true },
];

/// Why a daemon could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program cannot be run.
    #[error("cannot run {program}")]
    Spawn {
        program: String,
        #[source]
        source: std::io::Error,
    },
    /// It ended before it was ready.
    #[error("{daemon} ended before it was ready ({status}); {log} tells why")]
    Ended { daemon: &'static str, status: std::process::ExitStatus, log: String },
    /// It is not ready in time.
    #[error("{daemon} was not ready within {} s; it was stopped, and {log} tells what it did", START_TIMEOUT.as_secs())]
    NotReady { daemon: &'static str, log: String },
    /// systemd refused.
    #[error("systemctl {verb} {daemon} failed ({status}); `journalctl -u {daemon}` tells why")]
    Systemd { verb: &'static str, daemon: &'static str, status: std::process::ExitStatus },
    /// A file or socket failed.
    #[error("{what}")]
    Io {
        what: String,
        #[source]
        source: std::io::Error,
    },
    /// A signal could not be sent.
    #[error("cannot signal {daemon} (process {pid})")]
    Signal {
        daemon: &'static str,
        pid: i32,
        #[source]
        source: nix::errno::Errno,
    },
}

/// Starts a daemon and waits until it is ready; does nothing when it runs.
///
/// # Errors
/// It does not become ready.
pub fn start(daemon: &'static Daemon, env: &Environment) -> Result<(), Error> {
    if systemd::is_in_charge(env) { systemd::run("start", daemon) } else { detached::start(daemon, env, START_TIMEOUT) }
}

/// Stops a daemon and waits until it has ended; does nothing when it does not run.
///
/// # Errors
/// It cannot be stopped.
pub fn stop(daemon: &'static Daemon, env: &Environment) -> Result<(), Error> {
    if systemd::is_in_charge(env) { systemd::run("stop", daemon) } else { detached::stop(daemon, env, STOP_TIMEOUT) }
}

/// Whether a daemon runs.
#[must_use]
pub fn is_alive(daemon: &'static Daemon, env: &Environment) -> bool {
    if systemd::is_in_charge(env) { systemd::run("is-active", daemon).is_ok() } else { process::running(daemon, env).is_some() }
}

const USAGE: &str = "Usage: gnt daemon-util start|stop|restart|check|is-alive|status NAME
       gnt daemon-util start-all|stop-all
       gnt daemon-util list-start-daemons|list-stop-daemons|is-daemon-name NAME
Names: gannet-confd, gannet-noded, gannet-masterd, gannet-rapi; Ganeti's names mean the daemons that do their work.";

/// The command line.
pub(crate) fn main(words: &[String], io: &mut Io, env: &Environment) -> u8 {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["start", name] => with(name, io, |daemon| start(daemon, env)),
        ["stop", name] => with(name, io, |daemon| stop(daemon, env)),
        ["restart", name] => with(name, io, |daemon| stop(daemon, env).and_then(|()| start(daemon, env))),
        ["check" | "is-alive", name] => find(name).map_or(FAILURE, |daemon| if is_alive(daemon, env) { SUCCESS } else { FAILURE }),
        ["status", name] => status(name, io, env),
        ["is-daemon-name", name] => find(name).map_or(FAILURE, |_| SUCCESS),
        ["start-all"] => all(&wanted(env), io, |daemon| start(daemon, env)),
        ["stop-all"] => all(&DAEMONS.iter().rev().collect::<Vec<_>>(), io, |daemon| stop(daemon, env)),
        ["list-start-daemons"] => list(wanted(env), io),
        ["list-stop-daemons"] => list(DAEMONS.iter().rev().collect(), io),
        ["--help" | "-h"] => {
            io.line(USAGE);
            SUCCESS
        }
        _ => {
            io.note(USAGE);
            BAD_OPTION
        }
    }
}

fn find(name: &str) -> Option<&'static Daemon> {
    let is_meant =
        |daemon: &&Daemon| daemon.name == name || daemon.aliases.contains(&name) || daemon.name.strip_prefix("gannet-") == Some(name);
    DAEMONS.iter().find(is_meant)
}

fn with(name: &str, io: &mut Io, act: impl Fn(&'static Daemon) -> Result<(), Error>) -> u8 {
    match find(name) {
        Some(daemon) => all(&[daemon], io, act),
        None => {
            io.note(format_args!("There is no daemon '{name}'.\n{USAGE}"));
            FAILURE
        }
    }
}

fn all(daemons: &[&'static Daemon], io: &mut Io, act: impl Fn(&'static Daemon) -> Result<(), Error>) -> u8 {
    let mut code = SUCCESS;
    for daemon in daemons {
        if let Err(error) = act(daemon) {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            io.note(format_args!("{error}{cause}"));
            code = FAILURE;
        }
    }
    code
}

fn status(name: &str, io: &mut Io, env: &Environment) -> u8 {
    match find(name) {
        Some(daemon) if is_alive(daemon, env) => {
            io.line(format_args!("{} is running", daemon.name));
            SUCCESS
        }
        Some(daemon) => {
            io.line(format_args!("{} is not running", daemon.name));
            FAILURE
        }
        None => {
            io.note(format_args!("There is no daemon '{name}'.\n{USAGE}"));
            FAILURE
        }
    }
}

fn list(daemons: Vec<&'static Daemon>, io: &mut Io) -> u8 {
    for daemon in daemons {
        io.line(daemon.name);
    }
    SUCCESS
}

/// The daemons this node should run: all on master candidates, which have a copy of the state, else those of every node.
fn wanted(env: &Environment) -> Vec<&'static Daemon> {
    let is_member = env.paths().confd_dir().join("identity.json").exists();
    let master = std::fs::read_to_string(env.paths().ssconf("master_node")).unwrap_or_default();
    let is_master = !master.trim().is_empty() && master.trim() == env.node_name();
    DAEMONS.iter().filter(|daemon| is_master || is_member || !daemon.master_only).collect()
}
