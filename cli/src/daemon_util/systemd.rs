//! Daemons as systemd units.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Daemon, Error};
use crate::environment::Environment;

/// Whether systemd runs this machine, and this is no virtual node.
pub(super) fn is_in_charge(env: &Environment) -> bool {
    let has_unit = || ["/etc/systemd/system", "/lib/systemd/system"].iter().any(|dir| Path::new(dir).join("gannet-noded.service").exists());
    env.paths().root().is_none() && Path::new("/run/systemd/system").is_dir() && has_unit()
}

pub(super) fn run(verb: &'static str, daemon: &'static Daemon) -> Result<(), Error> {
    let mut command = Command::new("systemctl");
    command.args([verb, "--quiet", daemon.name]).stdin(Stdio::null());
    let status = command.status().map_err(|source| Error::Spawn { program: "systemctl".into(), source })?;
    if status.success() { Ok(()) } else { Err(Error::Systemd { verb, daemon: daemon.name, status }) }
}
