//! `OP_INSTANCE_STARTUP`: brings an instance up on its primary node.

use serde::{Deserialize, Serialize};

use crate::opcode::{Dict, HookPath, HookType, Parameters, check, default};

/// Parameters of `OP_INSTANCE_STARTUP`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceStartup {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Start although disks on secondary nodes do not come up.
    #[serde(default)]
    pub force: bool,
    /// Record the change although the primary node is offline.
    #[serde(default)]
    pub ignore_offline_nodes: bool,
    /// Hypervisor parameters for this start only.
    #[serde(default)]
    pub hvparams: Dict,
    /// Backend parameters for this start only.
    #[serde(default)]
    pub beparams: Dict,
    /// Do not record the new state as the wanted one.
    #[serde(default)]
    pub no_remember: bool,
    /// Start the guest but do not let it run.
    #[serde(default)]
    pub startup_paused: bool,
    /// How long the guest may take to shut down, in seconds.
    #[serde(default = "default::shutdown_timeout")]
    pub shutdown_timeout: u64,
}

impl InstanceStartup {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            force: false,
            ignore_offline_nodes: false,
            hvparams: Dict::new(),
            beparams: Dict::new(),
            no_remember: false,
            startup_paused: false,
            shutdown_timeout: default::SHUTDOWN_TIMEOUT_S,
        }
    }
}

impl Parameters for InstanceStartup {
    const OP_ID: &'static str = "OP_INSTANCE_STARTUP";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceStart, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}
