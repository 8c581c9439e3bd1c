//! What confd keeps on disk: the log and the state, two SQLite databases.
//!
//! The log is the truth: it is synced before anything is acknowledged. The
//! state follows it without syncs; what a crash takes from it is applied again
//! from the log, which is only shortened up to a point where the state is known
//! to be on disk. Nothing here knows the consensus library.

pub(crate) mod entry;
pub(crate) mod followers;
pub(crate) mod log;
pub(crate) mod rows;
pub(crate) mod snapshot;
pub(crate) mod sqlite;
pub(crate) mod state;
pub(crate) mod survivor;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};

/// Why the store failed. All of these stop the member: it cannot go on with a
/// log or a state of which it does not know what is on disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("database {path}")]
    Sqlite {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    #[error("{path}")]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("database {path} is damaged: {what}")]
    Damaged { path: PathBuf, what: String },
    #[error("the log stopped after an earlier error: {reason}")]
    Stopped { reason: String },
}

impl Error {
    pub(crate) fn sqlite(path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Sqlite { path: path.to_owned(), source }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}

pub(crate) type Result<T> = std::result::Result<T, Error>;
