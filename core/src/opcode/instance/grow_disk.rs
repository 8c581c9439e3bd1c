//! `OP_INSTANCE_GROW_DISK`: enlarges a disk.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check, default};

/// Parameters of `OP_INSTANCE_GROW_DISK`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceGrowDisk {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Wait until mirrors are in sync.
    #[serde(default = "default::yes")]
    pub wait_for_sync: bool,
    /// Position of the disk.
    #[serde(deserialize_with = "check::disk_index")]
    pub disk: u8,
    /// By how much to grow, in MiB; the new size when `absolute` is set.
    pub amount: u64,
    /// `amount` is the new size.
    #[serde(default)]
    pub absolute: bool,
    /// Accept a violation of the instance policy.
    #[serde(default)]
    pub ignore_ipolicy: bool,
}

impl InstanceGrowDisk {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>, disk: u8, amount: u64) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            wait_for_sync: true,
            disk,
            amount,
            absolute: false,
            ignore_ipolicy: false,
        }
    }
}

impl Parameters for InstanceGrowDisk {
    const OP_ID: &'static str = "OP_INSTANCE_GROW_DISK";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::DiskGrow, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}
