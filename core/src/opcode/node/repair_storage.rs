//! `OP_REPAIR_NODE_STORAGE`: repairs a storage unit of a node.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};
use crate::param::StorageType;

/// Parameters of `OP_REPAIR_NODE_STORAGE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepairNodeStorage {
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
    /// Go on although disks are not in sync; data may be lost.
    #[serde(default)]
    pub ignore_consistency: bool,
}

impl RepairNodeStorage {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(node_name: impl Into<String>, storage_type: StorageType) -> Self {
        Self { node_name: node_name.into(), node_uuid: None, storage_type, name: None, ignore_consistency: false }
    }
}

impl Parameters for RepairNodeStorage {
    const OP_ID: &'static str = "OP_REPAIR_NODE_STORAGE";

    fn subject(&self) -> Option<String> {
        Some(self.node_name.clone())
    }
}
