//! Where the programs under test are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Set by `cargo xtask test`: the directory of the programs.
pub const BIN_DIR: &str = "GANNET_BIN_DIR";
/// Set by `cargo xtask test`: the program that starts clusters.
pub const XTASK: &str = "GANNET_XTASK";
/// All that a cluster needs.
const PROGRAMS: &[&str] = &["gannet-confd", "gannet-masterd", "gannet-noded", "gannet-rapi", "gnt", "htools"];

/// The programs under test.
#[derive(Debug, Clone)]
pub struct Programs {
    pub bin_dir: PathBuf,
    pub xtask: PathBuf,
}

impl Programs {
    /// Those that the environment names, else those beside the running test program.
    ///
    /// # Errors
    /// One is missing; the message says what to run.
    pub fn find() -> Result<Self> {
        let bin_dir = match std::env::var_os(BIN_DIR) {
            Some(dir) => PathBuf::from(dir),
            None => target_dir()?,
        };
        let xtask = match std::env::var_os(XTASK) {
            Some(path) => PathBuf::from(path),
            None => bin_dir.join("xtask"),
        };
        let found = Self { bin_dir, xtask };
        let needed = PROGRAMS.iter().map(|name| found.bin_dir.join(name)).chain([found.xtask.clone()]);
        for path in needed {
            if !path.is_file() {
                bail!("{} is not built: run `cargo xtask test`, which builds what these tests drive", path.display());
            }
        }
        Ok(found)
    }
}

/// `target/debug`, when this runs as `target/debug/deps/vcluster-0123` or `target/debug/bench`.
fn target_dir() -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program's own path is unknown")?;
    let dir = own.parent().unwrap_or(Path::new("/"));
    Ok(if dir.ends_with("deps") { dir.parent().unwrap_or(dir) } else { dir }.to_owned())
}
