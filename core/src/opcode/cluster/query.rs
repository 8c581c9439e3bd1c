//! `OP_CLUSTER_QUERY`: answers with the settings of the cluster.

use serde::{Deserialize, Serialize};

use crate::opcode::Parameters;

/// Parameters of `OP_CLUSTER_QUERY`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterQuery {}

impl Parameters for ClusterQuery {
    const OP_ID: &'static str = "OP_CLUSTER_QUERY";
}
