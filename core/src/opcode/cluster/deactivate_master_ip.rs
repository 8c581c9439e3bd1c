//! `OP_CLUSTER_DEACTIVATE_MASTER_IP`: takes the master IP address off the master node.

use serde::{Deserialize, Serialize};

use crate::opcode::Parameters;

/// Parameters of `OP_CLUSTER_DEACTIVATE_MASTER_IP`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterDeactivateMasterIp {}

impl Parameters for ClusterDeactivateMasterIp {
    const OP_ID: &'static str = "OP_CLUSTER_DEACTIVATE_MASTER_IP";
    const NEEDS_BGL: bool = true;
}
