//! Files that the master keeps on this node, the master's address, commands of the operator, and leaving the cluster.

pub mod leave;
pub mod master_ip;
pub mod ssconf;
pub mod upload;
mod write;

use std::io;
use std::path::PathBuf;

use crate::run;

/// Why a file was not written or an address not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The request is for something that a master may not do.
    #[error("{0}")]
    Forbidden(String),
    /// The system refused.
    #[error("cannot {action} {path}", path = path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A program failed.
    #[error("cannot {action}")]
    Program {
        action: String,
        #[source]
        source: run::Error,
    },
    /// Another machine answers to the master's address.
    #[error("master IP address {0} is in use on another machine; stop the old master first")]
    AddressTaken(std::net::IpAddr),
}

impl Error {
    fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
