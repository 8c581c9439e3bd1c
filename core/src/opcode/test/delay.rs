//! `OP_TEST_DELAY`: waits, to test jobs and locks.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check, default};

/// Parameters of `OP_TEST_DELAY`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestDelay {
    /// How long to wait, in seconds.
    pub duration: f64,
    /// Wait on the master.
    #[serde(default = "default::yes")]
    pub on_master: bool,
    /// Nodes to wait on.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub on_nodes: Vec<String>,
    /// UUIDs of these nodes, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub on_node_uuids: Option<Vec<String>>,
    /// How often to wait; zero means once, without counting.
    #[serde(default)]
    pub repeat: u64,
    /// Answer with a socket through which the wait can be ended.
    #[serde(default)]
    pub interruptible: bool,
    /// Take no locks while waiting.
    #[serde(default = "default::yes")]
    pub no_locks: bool,
}

impl TestDelay {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(duration: f64) -> Self {
        Self { duration, on_master: true, on_nodes: Vec::new(), on_node_uuids: None, repeat: 0, interruptible: false, no_locks: true }
    }
}

impl Parameters for TestDelay {
    const OP_ID: &'static str = "OP_TEST_DELAY";

    fn subject(&self) -> Option<String> {
        Some(format!("{:.0} ns", self.duration * 1e9))
    }
}
