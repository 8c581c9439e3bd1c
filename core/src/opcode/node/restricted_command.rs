//! `OP_RESTRICTED_COMMAND`: runs a program that the administrator has allowed on nodes.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_RESTRICTED_COMMAND`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestrictedCommand {
    /// Take the locks of the nodes.
    #[serde(default)]
    pub use_locking: bool,
    /// Names of nodes.
    #[serde(deserialize_with = "check::nonempty_list")]
    pub nodes: Vec<String>,
    /// UUIDs of these nodes, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub node_uuids: Option<Vec<String>>,
    /// Name of the program in the directory of allowed ones.
    #[serde(deserialize_with = "check::nonempty")]
    pub command: String,
}

impl RestrictedCommand {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(nodes: Vec<String>, command: impl Into<String>) -> Self {
        Self { use_locking: false, nodes, node_uuids: None, command: command.into() }
    }
}

impl Parameters for RestrictedCommand {
    const OP_ID: &'static str = "OP_RESTRICTED_COMMAND";
}
