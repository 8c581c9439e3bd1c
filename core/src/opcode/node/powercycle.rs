//! `OP_NODE_POWERCYCLE`: resets a node the hard way.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_NODE_POWERCYCLE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePowercycle {
    /// Name of the node.
    #[serde(deserialize_with = "check::nonempty")]
    pub node_name: String,
    /// UUID of the node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub node_uuid: Option<String>,
    /// Do it although a check speaks against it.
    #[serde(default)]
    pub force: bool,
}

impl NodePowercycle {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(node_name: impl Into<String>) -> Self {
        Self { node_name: node_name.into(), node_uuid: None, force: false }
    }
}

impl Parameters for NodePowercycle {
    const OP_ID: &'static str = "OP_NODE_POWERCYCLE";

    fn subject(&self) -> Option<String> {
        Some(self.node_name.clone())
    }
}
