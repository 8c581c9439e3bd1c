//! `OP_INSTANCE_REBOOT`: reboots an instance.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check, default};
use crate::param::closed_set;

/// Parameters of `OP_INSTANCE_REBOOT`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceReboot {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// How long the guest may take to shut down, in seconds.
    #[serde(default = "default::shutdown_timeout")]
    pub shutdown_timeout: u64,
    /// Start even when disks on secondary nodes do not come up.
    #[serde(default)]
    pub ignore_secondaries: bool,
    /// Who reboots.
    pub reboot_type: RebootType,
}

impl InstanceReboot {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>, reboot_type: RebootType) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            shutdown_timeout: default::SHUTDOWN_TIMEOUT_S,
            ignore_secondaries: false,
            reboot_type,
        }
    }
}

impl Parameters for InstanceReboot {
    const OP_ID: &'static str = "OP_INSTANCE_REBOOT";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceReboot, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}

closed_set! {
    /// Who reboots a guest.
    pub enum RebootType ("reboot type") {
        /// The instance is shut down, its disks too, and started.
        Full = "full",
        /// The hypervisor stops and starts the guest, the disks stay up.
        Hard = "hard",
        /// The guest is asked to reboot.
        Soft = "soft",
    }
}
