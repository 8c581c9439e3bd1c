//! Where things are: the checkout, cargo's target directory, our own binary.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::run;

/// The top folder of the checkout that this program was built from.
pub fn root() -> &'static Path {
    // The parent exists: cargo only builds this package inside its workspace.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The cargo to call: the one that runs us, else the one in PATH.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // What `cargo run` set for us must not leak into builds that we start: it would make them look changed.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST") || name == "CARGO_BIN_NAME" {
            command.env_remove(name);
        }
    }
    command
}

/// `cargo metadata` of the workspace; with `deps`, of every package it resolves to.
pub fn metadata(deps: bool) -> Result<serde_json::Value> {
    let mut command = cargo();
    command.args(["metadata", "--format-version=1"]);
    if !deps {
        command.arg("--no-deps");
    }
    let output = run::output(&mut command, Duration::from_secs(300))?;
    run::check("cargo metadata", &output)?;
    serde_json::from_slice(&output.stdout).context("cannot read the answer of `cargo metadata`")
}

/// Cargo's target directory.
pub fn target_dir() -> Result<PathBuf> {
    let metadata = metadata(false)?;
    let dir = metadata["target_directory"].as_str().context("`cargo metadata` names no target directory")?;
    Ok(PathBuf::from(dir))
}

/// FNV-1a: a small hash that is the same in every build, for names and address prefixes derived from a path.
pub fn stable_hash(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
