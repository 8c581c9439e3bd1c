//! `OP_INSTANCE_REMOVE`: removes an instance with its disks.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check, default};

/// Parameters of `OP_INSTANCE_REMOVE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceRemove {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// How long the guest may take to shut down, in seconds.
    #[serde(default = "default::shutdown_timeout")]
    pub shutdown_timeout: u64,
    /// Go on when a node does not do its part.
    #[serde(default)]
    pub ignore_failures: bool,
}

impl InstanceRemove {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            shutdown_timeout: default::SHUTDOWN_TIMEOUT_S,
            ignore_failures: false,
        }
    }
}

impl Parameters for InstanceRemove {
    const OP_ID: &'static str = "OP_INSTANCE_REMOVE";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceRemove, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}
