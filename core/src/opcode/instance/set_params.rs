//! `OP_INSTANCE_SET_PARAMS`: modifies an instance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::opcode::{Dict, DiskParamsRequest, HookPath, HookType, Mods, NicParamsRequest, Parameters, Private, check, default};
use crate::param::{DiskTemplate, FileDriver};

/// Parameters of `OP_INSTANCE_SET_PARAMS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceSetParams {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Do it although a check speaks against it.
    #[serde(default)]
    pub force: bool,
    /// Accept an OS variant that the OS does not declare.
    #[serde(default)]
    pub force_variant: bool,
    /// Accept a violation of the instance policy.
    #[serde(default)]
    pub ignore_ipolicy: bool,
    /// Modifications of the NICs.
    #[serde(default)]
    pub nics: Mods<NicParamsRequest>,
    /// Modifications of the disks.
    #[serde(default)]
    pub disks: Mods<DiskParamsRequest>,
    /// Backend parameters; the value `default` removes one.
    #[serde(default)]
    pub beparams: Dict,
    /// Memory of the running guest, in MiB.
    #[serde(default, deserialize_with = "check::maybe_positive")]
    pub runtime_mem: Option<u64>,
    /// Hypervisor parameters; the value `default` removes one.
    #[serde(default)]
    pub hvparams: Dict,
    /// The disk template to convert to.
    pub disk_template: Option<DiskTemplate>,
    /// Parameters for the external storage provider, when the disk template becomes `ext`.
    #[serde(default)]
    pub ext_params: Dict,
    /// How a Xen guest gets file-based disks.
    pub file_driver: Option<FileDriver>,
    /// Sub-directory for file-based disks, when the disk template changes.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub file_storage_dir: Option<String>,
    /// The node the instance is on from now on; disks are not moved.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub pnode: Option<String>,
    /// UUID of the primary node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub pnode_uuid: Option<String>,
    /// The new secondary node.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub remote_node: Option<String>,
    /// UUID of the new secondary node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub remote_node_uuid: Option<String>,
    /// Iallocator to ask for places; `None` with no other choice given means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
    /// The new OS, with `+variant`.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub os_name: Option<String>,
    /// OS parameters that anybody may see.
    #[serde(default)]
    pub osparams: Dict,
    /// OS parameters that are stored but not shown.
    pub osparams_private: Option<BTreeMap<String, Private<Value>>>,
    /// Wait until mirrors are in sync.
    #[serde(default = "default::yes")]
    pub wait_for_sync: bool,
    /// Whether the instance is marked offline.
    pub offline: Option<bool>,
    /// Require that addresses are not of a network that the request does not name.
    #[serde(default = "default::yes")]
    pub conflicts_check: bool,
    /// Change NICs and disks of the running guest at once.
    #[serde(default = "default::yes")]
    pub hotplug: bool,
    /// Whether the guest can talk to its node.
    pub instance_communication: Option<bool>,
}

impl InstanceSetParams {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            force: false,
            force_variant: false,
            ignore_ipolicy: false,
            nics: Mods::default(),
            disks: Mods::default(),
            beparams: Dict::new(),
            runtime_mem: None,
            hvparams: Dict::new(),
            disk_template: None,
            ext_params: Dict::new(),
            file_driver: None,
            file_storage_dir: None,
            pnode: None,
            pnode_uuid: None,
            remote_node: None,
            remote_node_uuid: None,
            iallocator: None,
            os_name: None,
            osparams: Dict::new(),
            osparams_private: None,
            wait_for_sync: true,
            offline: None,
            conflicts_check: true,
            hotplug: true,
            instance_communication: None,
        }
    }
}

impl Parameters for InstanceSetParams {
    const OP_ID: &'static str = "OP_INSTANCE_SET_PARAMS";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceModify, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}
