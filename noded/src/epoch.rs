//! The epoch: which master may command this node. A node remembers the highest it has seen, on disk, and refuses lower
//! ones, so a master that was cut off and replaced can change nothing any more.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use gannet_core::paths::Paths;

/// Why a call's epoch was not accepted, or could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller is no longer the master.
    #[error("epoch {given} is lower than {highest}, which node {node} has seen: the caller is no longer the master")]
    Deposed { given: u64, highest: u64, node: String },
    /// The file does not hold a number.
    #[error("{path} is damaged: it should hold one number; remove it only when no old master can be running", path = path.display())]
    Damaged { path: PathBuf },
    /// The file could not be read or written.
    #[error("cannot {verb} {path}", path = path.display())]
    Io {
        verb: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// The highest epoch seen by this node.
#[derive(Debug)]
pub struct Epoch {
    path: PathBuf,
    highest: Mutex<u64>,
}

impl Epoch {
    /// Reads the stored epoch; 0 when there is none yet.
    ///
    /// # Errors
    /// When the file is unreadable or damaged.
    pub fn load(paths: &Paths) -> Result<Self, Error> {
        let path = paths.data_dir().join("gannet-epoch");
        let highest = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|_| Error::Damaged { path: path.clone() })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(source) => return Err(Error::Io { verb: "read", path, source }),
        };
        Ok(Self { path, highest: Mutex::new(highest) })
    }

    /// The highest epoch seen so far.
    #[must_use]
    pub fn highest(&self) -> u64 {
        *self.lock()
    }

    /// Accepts `given` if it is not lower than any seen; a higher one is on disk before this returns. Blocks for one
    /// fsync then, which happens once per change of the master.
    ///
    /// # Errors
    /// `Deposed` for a lower epoch; `Io` when a higher one could not be stored (the call is refused then).
    pub fn check(&self, given: u64, node: &str) -> Result<(), Error> {
        let mut highest = self.lock();
        if given < *highest {
            return Err(Error::Deposed { given, highest: *highest, node: node.to_owned() });
        }
        if given > *highest {
            store(&self.path, given).map_err(|source| Error::Io { verb: "write", path: self.path.clone(), source })?;
            *highest = given;
        }
        Ok(())
    }

    /// Forgets the epoch, in memory and on disk: this node has left its cluster.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn forget(&self) -> Result<(), Error> {
        let mut highest = self.lock();
        match fs::remove_file(&self.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::Io { verb: "remove", path: self.path.clone(), source });
            }
            _ => *highest = 0,
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, u64> {
        // the number is replaced in one assignment, so it is whole after a panic elsewhere
        self.highest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn store(path: &Path, epoch: u64) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(directory)?;
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary)?;
    writeln!(file, "{epoch}")?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> (tempfile::TempDir, Paths) {
        let root = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::new(Some(root.path().to_owned()));
        (root, paths)
    }

    #[test]
    fn a_lower_epoch_is_refused_also_after_a_restart() {
        let (_root, paths) = paths();
        let epoch = Epoch::load(&paths).expect("load");
        epoch.check(3, "node1").expect("first");
        epoch.check(3, "node1").expect("same again");
        assert!(matches!(epoch.check(2, "node1"), Err(Error::Deposed { given: 2, highest: 3, .. })));
        let restarted = Epoch::load(&paths).expect("load again");
        assert_eq!(restarted.highest(), 3);
        assert!(restarted.check(2, "node1").is_err());
    }

    #[test]
    fn a_damaged_file_is_not_taken_for_zero() {
        let (_root, paths) = paths();
        fs::create_dir_all(paths.data_dir()).expect("data dir");
        fs::write(paths.data_dir().join("gannet-epoch"), "x").expect("write");
        assert!(matches!(Epoch::load(&paths), Err(Error::Damaged { .. })));
    }
}
