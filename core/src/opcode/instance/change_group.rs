//! `OP_INSTANCE_CHANGE_GROUP`: moves an instance to another node group.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};

/// Parameters of `OP_INSTANCE_CHANGE_GROUP`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceChangeGroup {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Free the locks of old secondaries before the disks are in sync.
    #[serde(default)]
    pub early_release: bool,
    /// Iallocator to ask for places; `None` with no other choice given means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
    /// Node groups to go to; `None` means any other.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub target_groups: Option<Vec<String>>,
}

impl InstanceChangeGroup {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>) -> Self {
        Self { instance_name: instance_name.into(), instance_uuid: None, early_release: false, iallocator: None, target_groups: None }
    }
}

impl Parameters for InstanceChangeGroup {
    const OP_ID: &'static str = "OP_INSTANCE_CHANGE_GROUP";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceChangeGroup, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}
