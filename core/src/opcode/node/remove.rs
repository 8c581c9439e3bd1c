//! `OP_NODE_REMOVE`: removes a node from the cluster.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};

/// Parameters of `OP_NODE_REMOVE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRemove {
    /// Name of the node.
    #[serde(deserialize_with = "check::nonempty")]
    pub node_name: String,
    /// UUID of the node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub node_uuid: Option<String>,
}

impl NodeRemove {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(node_name: impl Into<String>) -> Self {
        Self { node_name: node_name.into(), node_uuid: None }
    }
}

impl Parameters for NodeRemove {
    const OP_ID: &'static str = "OP_NODE_REMOVE";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::NodeRemove, HookType::Node));
    const NEEDS_BGL: bool = true;

    fn subject(&self) -> Option<String> {
        Some(self.node_name.clone())
    }
}
