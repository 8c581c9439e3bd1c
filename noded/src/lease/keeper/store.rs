//! The lease in a file of the run directory, for the next keeper. It need not survive the machine: its guests do not either.

use std::path::PathBuf;
use std::{fs, io};

use gannet_core::paths::Paths;

use crate::lease::Lease;

/// Why the lease could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}", path = path.display())]
pub(super) struct Error {
    path: PathBuf,
    #[source]
    source: io::Error,
}

pub(super) struct Store {
    path: PathBuf,
}

impl Store {
    pub(super) fn new(paths: &Paths) -> Self {
        Self { path: paths.run_dir().join("gannet-lease.json") }
    }

    /// What an earlier keeper wrote; `None` when there was none. A damaged file cannot be: it is replaced as a whole.
    pub(super) fn read(&self) -> Option<Lease> {
        let text = fs::read(&self.path).ok()?;
        serde_json::from_slice(&text).inspect_err(|error| tracing::error!(path = %self.path.display(), %error, "unreadable")).ok()
    }

    pub(super) fn write(&self, lease: &Lease) -> Result<(), Error> {
        let failed = |source| Error { path: self.path.clone(), source };
        let text = serde_json::to_vec(lease).map_err(|error| failed(io::Error::other(error)))?;
        let temporary = self.path.with_extension("json.new");
        fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, &self.path)).map_err(failed)
    }
}
