//! `OP_NODE_QUERYVOLS`: answers which logical volumes the nodes have.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_NODE_QUERYVOLS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeQueryvols {
    /// Fields to answer with.
    #[serde(deserialize_with = "check::nonempty_list")]
    pub output_fields: Vec<String>,
    /// Names of nodes; none means all.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub nodes: Vec<String>,
}

impl NodeQueryvols {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(output_fields: Vec<String>) -> Self {
        Self { output_fields, nodes: Vec::new() }
    }
}

impl Parameters for NodeQueryvols {
    const OP_ID: &'static str = "OP_NODE_QUERYVOLS";
}
