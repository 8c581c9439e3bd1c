//! `OP_CLUSTER_REDIST_CONF`: sends the configuration and its companion files to all nodes again.

use serde::{Deserialize, Serialize};

use crate::opcode::Parameters;

/// Parameters of `OP_CLUSTER_REDIST_CONF`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterRedistConf {}

impl Parameters for ClusterRedistConf {
    const OP_ID: &'static str = "OP_CLUSTER_REDIST_CONF";
}
