//! `OP_GROUP_VERIFY_DISKS`: looks for missing and inactive disks in a node group.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check, default};

/// Parameters of `OP_GROUP_VERIFY_DISKS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupVerifyDisks {
    /// Name of the node group.
    #[serde(deserialize_with = "check::nonempty")]
    pub group_name: String,
    /// Count a disk as broken when its node cannot be asked.
    #[serde(default = "default::yes")]
    pub is_strict: bool,
}

impl GroupVerifyDisks {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(group_name: impl Into<String>) -> Self {
        Self { group_name: group_name.into(), is_strict: true }
    }
}

impl Parameters for GroupVerifyDisks {
    const OP_ID: &'static str = "OP_GROUP_VERIFY_DISKS";

    fn subject(&self) -> Option<String> {
        Some(self.group_name.clone())
    }
}
