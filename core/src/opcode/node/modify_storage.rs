//! `OP_NODE_MODIFY_STORAGE`: modifies a storage unit of a node.

use serde::{Deserialize, Serialize};

use crate::opcode::{Dict, Parameters, check};
use crate::param::StorageType;

/// Parameters of `OP_NODE_MODIFY_STORAGE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeModifyStorage {
    /// Name of the node.
    #[serde(deserialize_with = "check::nonempty")]
    pub node_name: String,
    /// UUID of the node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub node_uuid: Option<String>,
    /// Kind of storage.
    pub storage_type: StorageType,
    /// Name of the storage unit.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub name: Option<String>,
    /// Fields of the storage unit and their new values.
    pub changes: Dict,
}

impl NodeModifyStorage {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(node_name: impl Into<String>, storage_type: StorageType, changes: Dict) -> Self {
        Self { node_name: node_name.into(), node_uuid: None, storage_type, name: None, changes }
    }
}

impl Parameters for NodeModifyStorage {
    const OP_ID: &'static str = "OP_NODE_MODIFY_STORAGE";

    fn subject(&self) -> Option<String> {
        Some(self.node_name.clone())
    }
}
