//! `OP_GROUP_ASSIGN_NODES`: puts nodes into another node group.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_GROUP_ASSIGN_NODES`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupAssignNodes {
    /// Name of the node group.
    #[serde(deserialize_with = "check::nonempty")]
    pub group_name: String,
    /// Accept that mirrored instances span groups afterwards.
    #[serde(default)]
    pub force: bool,
    /// Names of nodes.
    #[serde(deserialize_with = "check::nonempty_list")]
    pub nodes: Vec<String>,
    /// UUIDs of these nodes, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub node_uuids: Option<Vec<String>>,
}

impl GroupAssignNodes {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(group_name: impl Into<String>, nodes: Vec<String>) -> Self {
        Self { group_name: group_name.into(), force: false, nodes, node_uuids: None }
    }
}

impl Parameters for GroupAssignNodes {
    const OP_ID: &'static str = "OP_GROUP_ASSIGN_NODES";

    fn subject(&self) -> Option<String> {
        Some(self.group_name.clone())
    }
}
