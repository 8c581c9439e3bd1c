//! `OP_NODE_QUERY_STORAGE`: answers which storage units the nodes have.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};
use crate::param::StorageType;

/// Parameters of `OP_NODE_QUERY_STORAGE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeQueryStorage {
    /// Fields to answer with.
    #[serde(deserialize_with = "check::nonempty_list")]
    pub output_fields: Vec<String>,
    /// Kind of storage; `None` means what the default disk template uses.
    pub storage_type: Option<StorageType>,
    /// Names of nodes; none means all.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub nodes: Vec<String>,
    /// Only the storage unit of this name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub name: Option<String>,
}

impl NodeQueryStorage {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(output_fields: Vec<String>) -> Self {
        Self { output_fields, storage_type: None, nodes: Vec::new(), name: None }
    }
}

impl Parameters for NodeQueryStorage {
    const OP_ID: &'static str = "OP_NODE_QUERY_STORAGE";
}
