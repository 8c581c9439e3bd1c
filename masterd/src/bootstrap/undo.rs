//! Remembers what was made, and takes it away again unless all went well.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::Error;
use crate::export::file;

/// What was made so far, in order.
#[derive(Debug, Default)]
pub(super) struct Made {
    files: Vec<PathBuf>,
    directories: Vec<PathBuf>,
    trees: Vec<PathBuf>,
    /// Files that were there before, with what was in them.
    changed: Vec<(PathBuf, Vec<u8>, u32)>,
    kept: bool,
}

impl Made {
    /// A directory with its parents; those that exist stay as they are.
    pub(super) fn directory(&mut self, path: &Path, mode: u32) -> Result<(), Error> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.directory(parent, 0o755)?;
        }
        let made = DirBuilder::new().mode(mode).create(path).and_then(|()| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)));
        made.map_err(|source| Error::Write { path: path.to_owned(), source })?;
        self.directories.push(path.to_owned());
        Ok(())
    }

    /// A file; what is in its place is kept for the way back.
    pub(super) fn file(&mut self, path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
        let write = |source| Error::Write { path: path.to_owned(), source };
        match std::fs::read(path) {
            Ok(old) => {
                let mode = std::fs::metadata(path).map(|found| found.permissions().mode() & 0o7777).unwrap_or(mode);
                self.changed.push((path.to_owned(), old, mode));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.files.push(path.to_owned()),
            Err(error) => return Err(write(error)),
        }
        file::put(path, content, mode).map_err(write)
    }

    /// A directory that somebody else is about to make and fill.
    pub(super) fn tree(&mut self, path: &Path) {
        if !path.exists() {
            self.trees.push(path.to_owned());
        }
    }

    /// All went well.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // Each on its own: one that cannot be taken back must not keep the others.
        let tell = |path: &Path, outcome: io::Result<()>| match outcome {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), %error, "cannot take back what a failed initialisation made");
            }
            _ => {}
        };
        self.trees.iter().for_each(|path| tell(path, std::fs::remove_dir_all(path)));
        self.files.iter().rev().for_each(|path| tell(path, std::fs::remove_file(path)));
        self.changed.iter().rev().for_each(|(path, content, mode)| tell(path, file::put(path, content, *mode)));
        self.directories.iter().rev().for_each(|path| {
            // Not empty: somebody else uses it by now.
            let _in_use = std::fs::remove_dir(path);
        });
    }
}
