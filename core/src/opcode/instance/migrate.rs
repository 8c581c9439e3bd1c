//! `OP_INSTANCE_MIGRATE`: moves an instance to its other node without stopping it.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check, default};
use crate::param::MigrationMode;

/// Parameters of `OP_INSTANCE_MIGRATE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceMigrate {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Whether the guest keeps running; `None` means as its hypervisor parameters say.
    pub mode: Option<MigrationMode>,
    /// Older form of `mode`: true is live.
    pub live: Option<bool>,
    /// The node to go to; `None` leaves it to the disk template or the iallocator.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub target_node: Option<String>,
    /// UUID of the target node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub target_node_uuid: Option<String>,
    /// The guest may be given less memory to fit the target.
    #[serde(default = "default::yes")]
    pub allow_runtime_changes: bool,
    /// Accept a violation of the instance policy.
    #[serde(default)]
    pub ignore_ipolicy: bool,
    /// Repair what a broken earlier attempt has left.
    #[serde(default)]
    pub cleanup: bool,
    /// Iallocator to ask for places; `None` with no other choice given means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
    /// Fail over when migrating is not possible.
    #[serde(default)]
    pub allow_failover: bool,
    /// Migrate although the hypervisors differ in version.
    #[serde(default)]
    pub ignore_hvversions: bool,
}

impl InstanceMigrate {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            mode: None,
            live: None,
            target_node: None,
            target_node_uuid: None,
            allow_runtime_changes: true,
            ignore_ipolicy: false,
            cleanup: false,
            iallocator: None,
            allow_failover: false,
            ignore_hvversions: false,
        }
    }
}

impl Parameters for InstanceMigrate {
    const OP_ID: &'static str = "OP_INSTANCE_MIGRATE";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceMigrate, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}
