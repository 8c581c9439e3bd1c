//! `OP_INSTANCE_SHUTDOWN`: stops an instance.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check, default};
use crate::param::closed_set;

/// Parameters of `OP_INSTANCE_SHUTDOWN`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceShutdown {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Stop even when the instance is recorded as stopped.
    #[serde(default)]
    pub force: bool,
    /// Record the change although the primary node is offline.
    #[serde(default)]
    pub ignore_offline_nodes: bool,
    /// How long the guest may take to shut down, in seconds.
    #[serde(default = "default::shutdown_timeout")]
    pub timeout: u64,
    /// Do not record the new state as the wanted one.
    #[serde(default)]
    pub no_remember: bool,
    /// Who stopped the instance; `None` means the administrator.
    pub admin_state_source: Option<AdminStateSource>,
}

impl InstanceShutdown {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            force: false,
            ignore_offline_nodes: false,
            timeout: default::SHUTDOWN_TIMEOUT_S,
            no_remember: false,
            admin_state_source: None,
        }
    }
}

impl Parameters for InstanceShutdown {
    const OP_ID: &'static str = "OP_INSTANCE_SHUTDOWN";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceStop, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}

closed_set! {
    /// Who wanted the present state of an instance.
    pub enum AdminStateSource ("admin state source") {
        /// The administrator.
        Admin = "admin",
        /// The user, from inside the guest.
        User = "user",
    }
}
