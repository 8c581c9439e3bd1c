//! `OP_GROUP_EVACUATE`: moves all instances out of a node group.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};

/// Parameters of `OP_GROUP_EVACUATE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupEvacuate {
    /// Name of the node group.
    #[serde(deserialize_with = "check::nonempty")]
    pub group_name: String,
    /// Free the locks of old secondaries before the disks are in sync.
    #[serde(default)]
    pub early_release: bool,
    /// Iallocator to ask for places; `None` with no other choice given means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
    /// Node groups to go to; `None` means any other.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub target_groups: Option<Vec<String>>,
    /// Make each job wait for the one before it.
    #[serde(default)]
    pub sequential: bool,
    /// Fail over instead of migrating.
    #[serde(default)]
    pub force_failover: bool,
}

impl GroupEvacuate {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(group_name: impl Into<String>) -> Self {
        Self {
            group_name: group_name.into(),
            early_release: false,
            iallocator: None,
            target_groups: None,
            sequential: false,
            force_failover: false,
        }
    }
}

impl Parameters for GroupEvacuate {
    const OP_ID: &'static str = "OP_GROUP_EVACUATE";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::GroupEvacuate, HookType::Group));

    fn subject(&self) -> Option<String> {
        Some(self.group_name.clone())
    }
}
