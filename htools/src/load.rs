//! From texts to a cluster that can be worked with.
//!
//! Readers ([`text`], [`simulation`]) make a [`Cluster`] of what they read. [`merge`] adds what follows from tags, names and the
//! options of a tool. [`finish`] finds missing memory and builds the [`State`].

pub mod derive;
pub mod iallocator;
pub mod lookup;
pub mod mond;
pub mod number;
pub mod object;
pub mod remote;
pub mod simulation;
pub mod text;

pub use derive::{Loaded, Wishes, finish, merge};

use crate::cluster::Cluster;

/// What is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", .line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct Error {
    /// The line, counted from 1; `None` when the input as a whole is wrong, or has no lines.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl Error {
    /// Something that is wrong without being on a line.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }

    /// Something wrong on a line, counted from 1.
    #[must_use]
    pub fn on_line(line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), message: message.into() }
    }
}

/// Anything that a cluster can be read from.
pub trait Backend {
    /// Reads it.
    ///
    /// # Errors
    /// It cannot be reached, or what it says is no cluster.
    fn load(&self) -> Result<Cluster, Error>;
}
