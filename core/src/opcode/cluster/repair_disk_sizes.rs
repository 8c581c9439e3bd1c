//! `OP_CLUSTER_REPAIR_DISK_SIZES`: corrects recorded disk sizes that differ from the real ones.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_CLUSTER_REPAIR_DISK_SIZES`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterRepairDiskSizes {
    /// Names of instances; none means all.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub instances: Vec<String>,
}

impl Parameters for ClusterRepairDiskSizes {
    const OP_ID: &'static str = "OP_CLUSTER_REPAIR_DISK_SIZES";
}
