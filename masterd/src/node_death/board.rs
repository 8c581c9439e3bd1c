//! What the watch of nodes has to say to operators now: `gnt-cluster verify` reads it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Node → what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<BTreeMap<String, String>>);

impl Board {
    /// Replaces all of it.
    pub(super) fn set(&self, complaints: BTreeMap<String, String>) {
        // One assignment: whole after a panic elsewhere.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = complaints;
    }

    /// What there is to say about a node.
    pub(crate) fn about(&self, node: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(node).cloned()
    }
}
