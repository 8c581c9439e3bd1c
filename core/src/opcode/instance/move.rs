//! `OP_INSTANCE_MOVE`: stops an instance and copies its disks to another node.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check, default};

/// Parameters of `OP_INSTANCE_MOVE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceMove {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// How long the guest may take to shut down, in seconds.
    #[serde(default = "default::shutdown_timeout")]
    pub shutdown_timeout: u64,
    /// Accept a violation of the instance policy.
    #[serde(default)]
    pub ignore_ipolicy: bool,
    /// The node to go to.
    #[serde(deserialize_with = "check::nonempty")]
    pub target_node: String,
    /// UUID of the target node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub target_node_uuid: Option<String>,
    /// Compression tool for data on its way; `none` for none.
    #[serde(default = "default::no_compression")]
    pub compress: String,
    /// Go on although disks are not in sync; data may be lost.
    #[serde(default)]
    pub ignore_consistency: bool,
}

impl InstanceMove {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>, target_node: impl Into<String>) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            shutdown_timeout: default::SHUTDOWN_TIMEOUT_S,
            ignore_ipolicy: false,
            target_node: target_node.into(),
            target_node_uuid: None,
            compress: default::no_compression(),
            ignore_consistency: false,
        }
    }
}

impl Parameters for InstanceMove {
    const OP_ID: &'static str = "OP_INSTANCE_MOVE";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceMove, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}
