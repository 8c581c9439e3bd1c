//! The test guest: one boot sector, assembled from `qa/guests/heartbeat.S`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::lab::files;
use crate::{repo, run};

/// Bytes of a boot sector.
const SECTOR: usize = 512;
/// Enough for the boot sector and the record behind it, and what some disk code wants as a minimum.
const SMALLEST_DISK: u64 = 1 << 20;
const LIMIT: Duration = Duration::from_secs(30);

/// Assembles the guest to `target`.
pub fn assemble(target: &Path) -> Result<()> {
    let source = repo::root().join("qa/guests/heartbeat.S");
    let object = target.with_extension("o");
    run::text(Command::new("as").arg("--32").arg("-o").arg(&object).arg(&source), LIMIT)
        .context("cannot assemble the test guest (package binutils)")?;
    run::text(Command::new("ld").args(["-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o"]).arg(target).arg(&object), LIMIT)
        .context("cannot link the test guest (package binutils)")?;
    files::remove_file(&object)?;
    let sector = fs::read(target)?;
    if sector.len() != SECTOR || sector[SECTOR - 2..] != [0x55, 0xaa] {
        bail!("the test guest is no boot sector: {} bytes in {}", sector.len(), target.display());
    }
    Ok(())
}

/// Makes a disk image that holds the guest.
pub fn write_disk(path: &Path) -> Result<()> {
    assemble(path)?;
    fs::OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_len(SMALLEST_DISK))
        .with_context(|| format!("cannot grow {}", path.display()))
}
