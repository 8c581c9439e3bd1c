//! `OP_CLUSTER_ACTIVATE_MASTER_IP`: puts the master IP address on the master node.

use serde::{Deserialize, Serialize};

use crate::opcode::Parameters;

/// Parameters of `OP_CLUSTER_ACTIVATE_MASTER_IP`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterActivateMasterIp {}

impl Parameters for ClusterActivateMasterIp {
    const OP_ID: &'static str = "OP_CLUSTER_ACTIVATE_MASTER_IP";
    const NEEDS_BGL: bool = true;
}
