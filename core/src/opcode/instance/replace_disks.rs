//! `OP_INSTANCE_REPLACE_DISKS`: rebuilds mirrored disks, in place or on another node.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};
use crate::param::closed_set;

/// Parameters of `OP_INSTANCE_REPLACE_DISKS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceReplaceDisks {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Free the locks of old secondaries before the disks are in sync.
    #[serde(default)]
    pub early_release: bool,
    /// Accept a violation of the instance policy.
    #[serde(default)]
    pub ignore_ipolicy: bool,
    /// Which side is rebuilt.
    pub mode: ReplaceDisksMode,
    /// Positions of the disks; none means all.
    #[serde(default, deserialize_with = "check::disk_indices")]
    pub disks: Vec<u8>,
    /// The new secondary node.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub remote_node: Option<String>,
    /// UUID of the new secondary node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub remote_node_uuid: Option<String>,
    /// Iallocator to ask for places; `None` with no other choice given means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
}

impl InstanceReplaceDisks {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>, mode: ReplaceDisksMode) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            early_release: false,
            ignore_ipolicy: false,
            mode,
            disks: Vec::new(),
            remote_node: None,
            remote_node_uuid: None,
            iallocator: None,
        }
    }
}

impl Parameters for InstanceReplaceDisks {
    const OP_ID: &'static str = "OP_INSTANCE_REPLACE_DISKS";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::MirrorsReplace, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}

closed_set! {
    /// Which side of mirrored disks is rebuilt.
    pub enum ReplaceDisksMode ("disk replacement mode") {
        /// Whatever is faulty.
        Auto = "replace_auto",
        /// All disks, on a new secondary node.
        NewSecondary = "replace_new_secondary",
        /// On the primary node.
        OnPrimary = "replace_on_primary",
        /// On the secondary node.
        OnSecondary = "replace_on_secondary",
    }
}
