//! Which member this is, and the lock on its data.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::error::Error;

const FILE: &str = "identity.json";

/// This member, as the group knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number, above 0, never given to another node.
    pub id: u64,
    /// The node's name.
    pub name: String,
    /// `ip:port` of its Raft port.
    pub address: String,
}

impl Identity {
    /// The identity in a data directory; `None` before `bootstrap` or `prepare`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is one that cannot be read.
    pub fn load(dir: &Path) -> Result<Option<Self>, Error> {
        let path = file(dir);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path, &error)),
        };
        let identity = serde_json::from_str(&text);
        identity.map(Some).map_err(|error| failed("read", &path, &error))
    }

    /// Writes the identity, durably and at once.
    pub(crate) fn store(&self, dir: &Path) -> Result<(), Error> {
        let text = serde_json::to_string(self).map_err(|error| failed("write", &file(dir), &error))?;
        store_text(dir, FILE, &text)
    }
}

/// Writes a file of the data directory, durably and at once.
pub(crate) fn store_text(dir: &Path, name: &str, text: &str) -> Result<(), Error> {
    let path = dir.join(name);
    let write = || -> std::io::Result<()> {
        let draft = path.with_extension("new");
        let mut out = private(&draft)?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        std::fs::rename(&draft, &path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|error| failed("write", &path, &error))
}

/// The data directory, ours as long as this lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: Flock<File>,
}

impl DataDir {
    /// Creates the directory if need be, and takes it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when another process has it.
    pub(crate) fn take(path: &Path) -> Result<Self, Error> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(path);
        made.map_err(|error| failed("create", path, &error))?;
        let lock = path.join("lock");
        let opened = private(&lock).map_err(|error| failed("open", &lock, &error))?;
        let locked = Flock::lock(opened, FlockArg::LockExclusiveNonblock);
        let locked = locked.map_err(|(_, error)| {
            Error::unavailable(format!("{} is in use, probably by a running gannet-confd: {error}", path.display()))
        })?;
        Ok(Self { path: path.to_owned(), _lock: locked })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)
}

fn file(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

pub(crate) fn failed(verb: &str, path: &Path, error: &dyn std::error::Error) -> Error {
    let path = path.display();
    Error::unavailable(format!("cannot {verb} {path}: {error}"))
}
