//! OS definitions for tests: one that records what its scripts see, one that fails, one that hangs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes its environment to `/srv/ganeti/seen/SCRIPT.INSTANCE` of its node.
pub const RECORDING: &str = "recording";
/// Its `create` says something and exits 1.
pub const BROKEN: &str = "broken";
/// Its `create` waits as long as the file `/srv/ganeti/hold` of its node is there.
pub const WAITING: &str = "waiting";
/// What the scripts of [`BROKEN`] say.
pub const COMPLAINT: &str = "no boot loader found in the moon's shadow";

const VERIFY: &str = "#!/bin/sh\nexit 0\n";

/// Installs all of them into a node's tree.
///
/// # Errors
/// A file cannot be written.
pub fn install_all(root: &Path) -> Result<()> {
    let seen = root.join("srv/ganeti/seen");
    fs::create_dir_all(&seen).with_context(|| format!("cannot create {}", seen.display()))?;
    let record = format!("#!/bin/sh\nenv -0 > {}/\"${{0##*/}}.$INSTANCE_NAME\"\n", seen.display());
    let hold = root.join("srv/ganeti/hold");
    let waiting = format!("#!/bin/sh\nwhile [ -e {} ]; do sleep 0.05; done\n", hold.display());
    install(root, RECORDING, &record)?;
    install(root, BROKEN, &format!("#!/bin/sh\necho \"{COMPLAINT}\" >&2\nexit 1\n"))?;
    install(root, WAITING, &waiting)
}

fn install(root: &Path, name: &str, script: &str) -> Result<()> {
    let dir = root.join("srv/ganeti/os").join(name);
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let executable = |file: &str, text: &str| -> Result<()> {
        let path = dir.join(file);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?)
    };
    fs::write(dir.join("ganeti_api_version"), "20\n")?;
    fs::write(dir.join("variants.list"), "default\n")?;
    fs::write(dir.join("parameters.list"), "colour What colour\n")?;
    for file in ["create", "import", "export", "rename"] {
        executable(file, script)?;
    }
    executable("verify", VERIFY)
}

/// The environment that a script of [`RECORDING`] saw.
///
/// # Errors
/// It did not run.
pub fn seen(root: &Path, script: &str, instance: &str) -> Result<Vec<(String, String)>> {
    let path = root.join("srv/ganeti/seen").join(format!("{script}.{instance}"));
    let bytes = fs::read(&path).with_context(|| format!("{script} did not run for {instance}: no {}", path.display()))?;
    Ok(environment(&bytes))
}

/// `NAME=VALUE` pairs, each ended by a null byte.
#[must_use]
pub fn environment(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    text.split('\0').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
