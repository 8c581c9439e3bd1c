//! `OP_CLUSTER_VERIFY_DISKS`: submits jobs that verify the disks of the node groups.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check, default};

/// Parameters of `OP_CLUSTER_VERIFY_DISKS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterVerifyDisks {
    /// Only this node group.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub group_name: Option<String>,
    /// Count a disk as broken when its node cannot be asked.
    #[serde(default = "default::yes")]
    pub is_strict: bool,
}

impl Default for ClusterVerifyDisks {
    fn default() -> Self {
        Self { group_name: None, is_strict: true }
    }
}

impl Parameters for ClusterVerifyDisks {
    const OP_ID: &'static str = "OP_CLUSTER_VERIFY_DISKS";
}
