//! `OP_CLUSTER_CONFIG_QUERY`: answers with some values of the cluster configuration.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_CLUSTER_CONFIG_QUERY`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterConfigQuery {
    /// Fields to answer with.
    #[serde(deserialize_with = "check::nonempty_list")]
    pub output_fields: Vec<String>,
}

impl ClusterConfigQuery {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(output_fields: Vec<String>) -> Self {
        Self { output_fields }
    }
}

impl Parameters for ClusterConfigQuery {
    const OP_ID: &'static str = "OP_CLUSTER_CONFIG_QUERY";
}
