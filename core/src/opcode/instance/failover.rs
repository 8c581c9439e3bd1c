//! `OP_INSTANCE_FAILOVER`: stops an instance and starts it on its other node.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check, default};

/// Parameters of `OP_INSTANCE_FAILOVER`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceFailover {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// How long the guest may take to shut down, in seconds.
    #[serde(default = "default::shutdown_timeout")]
    pub shutdown_timeout: u64,
    /// Go on although disks are not in sync; data may be lost.
    #[serde(default)]
    pub ignore_consistency: bool,
    /// The node to go to; `None` leaves it to the disk template or the iallocator.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub target_node: Option<String>,
    /// UUID of the target node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub target_node_uuid: Option<String>,
    /// Accept a violation of the instance policy.
    #[serde(default)]
    pub ignore_ipolicy: bool,
    /// Repair what a broken earlier attempt has left.
    #[serde(default)]
    pub cleanup: bool,
    /// Iallocator to ask for places; `None` with no other choice given means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
}

impl InstanceFailover {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            shutdown_timeout: default::SHUTDOWN_TIMEOUT_S,
            ignore_consistency: false,
            target_node: None,
            target_node_uuid: None,
            ignore_ipolicy: false,
            cleanup: false,
            iallocator: None,
        }
    }
}

impl Parameters for InstanceFailover {
    const OP_ID: &'static str = "OP_INSTANCE_FAILOVER";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceFailover, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}
