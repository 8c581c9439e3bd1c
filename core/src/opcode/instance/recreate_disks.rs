//! `OP_INSTANCE_RECREATE_DISKS`: creates lost disks of an instance anew, without their data.

use serde::{Deserialize, Serialize};

use crate::opcode::{DiskParamsRequest, HookPath, HookType, Parameters, check};

/// Parameters of `OP_INSTANCE_RECREATE_DISKS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceRecreateDisks {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Which disks, with new parameters or without; none means all.
    #[serde(default)]
    pub disks: RecreateDisks,
    /// Nodes to create the disks on; none means the present ones.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub nodes: Vec<String>,
    /// UUIDs of these nodes, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub node_uuids: Option<Vec<String>>,
    /// Iallocator to ask for places; `None` with no other choice given means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
}

impl InstanceRecreateDisks {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            disks: RecreateDisks::default(),
            nodes: Vec::new(),
            node_uuids: None,
            iallocator: None,
        }
    }
}

impl Parameters for InstanceRecreateDisks {
    const OP_ID: &'static str = "OP_INSTANCE_RECREATE_DISKS";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceRecreateDisks, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}

/// Which disks are created anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RecreateDisks {
    /// These positions, as they were; an empty list means all disks.
    Indices(#[serde(deserialize_with = "check::disk_indices")] Vec<u8>),
    /// These positions, with other parameters.
    WithParams(Vec<(u8, DiskParamsRequest)>),
}

impl Default for RecreateDisks {
    fn default() -> Self {
        Self::Indices(Vec::new())
    }
}
