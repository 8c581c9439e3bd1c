//! `OP_INSTANCE_ACTIVATE_DISKS`: brings up the disks of a stopped instance.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_INSTANCE_ACTIVATE_DISKS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceActivateDisks {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Trust real disk sizes instead of recorded ones.
    #[serde(default)]
    pub ignore_size: bool,
    /// Wait until mirrors are in sync.
    #[serde(default)]
    pub wait_for_sync: bool,
}

impl InstanceActivateDisks {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>) -> Self {
        Self { instance_name: instance_name.into(), instance_uuid: None, ignore_size: false, wait_for_sync: false }
    }
}

impl Parameters for InstanceActivateDisks {
    const OP_ID: &'static str = "OP_INSTANCE_ACTIVATE_DISKS";

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}
