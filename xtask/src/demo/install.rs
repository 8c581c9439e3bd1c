//! Puts programs, links and our own binary where the nodes find them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result};

use crate::build;
use crate::lab::{Lab, files};

/// What the multi-call binary `gnt` answers to.
pub const GNT_NAMES: &[&str] = &[
    "gnt-backup",
    "gnt-cluster",
    "gnt-debug",
    "gnt-filter",
    "gnt-group",
    "gnt-instance",
    "gnt-job",
    "gnt-network",
    "gnt-node",
    "gnt-os",
    "gnt-storage",
];
/// What the multi-call binary `htools` answers to.
const HTOOLS_NAMES: &[&str] = &["hail", "harep", "hbal", "hcheck", "hinfo", "hroller", "hscan", "hspace", "hsqueeze"];

/// Links the programs into the lab's `bin`, under all their names. Hard links: the next build does not change a running lab.
pub fn programs(lab: &Lab, from: &Path) -> Result<()> {
    for name in build::program_names()? {
        link(&from.join(&name), &lab.bin().join(&name))?;
    }
    for (program, names) in [("gnt", GNT_NAMES), ("htools", HTOOLS_NAMES)] {
        for name in names {
            let path = lab.bin().join(name);
            files::remove_file(&path)?;
            symlink(program, &path).with_context(|| format!("cannot create {}", path.display()))?;
        }
    }
    Ok(())
}

/// Our own binary, which is pid 1 of every real node.
pub fn own_program(lab: &Lab) -> Result<()> {
    let own = std::env::current_exe().context("cannot find our own program")?;
    link(&own, &lab.bin().join("xtask"))
}

fn link(from: &Path, to: &Path) -> Result<()> {
    files::remove_file(to)?;
    // Across file systems a link is not possible.
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}
