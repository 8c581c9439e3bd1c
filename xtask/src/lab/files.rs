//! Small file helpers, each naming the path in its error.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file under a temporary name and renames it, so that a reader never sees half of it.
pub fn write_atomically(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let temporary = path.with_extension("tmp");
    let write = || -> std::io::Result<()> {
        remove(&temporary, |p| fs::remove_file(p))?;
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?.write_all(content)?;
        fs::rename(&temporary, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Creates the directory and writes a file into it.
pub fn write(path: &Path, content: &str, mode: u32) -> Result<()> {
    if let Some(dir) = path.parent() {
        create_dir(dir)?;
    }
    write_atomically(path, content.as_bytes(), mode)
}

pub fn create_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))
}

/// Removes a tree; that it does not exist is fine.
pub fn remove_tree(path: &Path) -> Result<()> {
    remove(path, |p| if p.is_symlink() { fs::remove_file(p) } else { fs::remove_dir_all(p) })
        .with_context(|| format!("cannot remove {}", path.display()))
}

pub fn remove_file(path: &Path) -> Result<()> {
    remove(path, |p| fs::remove_file(p)).with_context(|| format!("cannot remove {}", path.display()))
}

fn remove(path: &Path, how: impl Fn(&Path) -> std::io::Result<()>) -> std::io::Result<()> {
    match how(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
