//! `OP_GROUP_ADD`: adds a node group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::opcode::{Dict, HookPath, HookType, Parameters, check};
use crate::param::{AllocPolicy, DiskTemplate};

/// Parameters of `OP_GROUP_ADD`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupAdd {
    /// Name of the node group.
    #[serde(deserialize_with = "check::nonempty")]
    pub group_name: String,
    /// Whether new instances may go to the group.
    pub alloc_policy: Option<AllocPolicy>,
    /// Node parameters.
    pub ndparams: Option<Dict>,
    /// Parameters of disk templates.
    pub diskparams: Option<BTreeMap<DiskTemplate, Dict>>,
    /// Capacities of nodes per hypervisor, replacing those the hypervisors report.
    pub hv_state: Option<Dict>,
    /// Capacities of storage, replacing those the nodes report.
    pub disk_state: Option<Dict>,
    /// Instance policy: the values to change.
    pub ipolicy: Option<Dict>,
}

impl GroupAdd {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(group_name: impl Into<String>) -> Self {
        Self {
            group_name: group_name.into(),
            alloc_policy: None,
            ndparams: None,
            diskparams: None,
            hv_state: None,
            disk_state: None,
            ipolicy: None,
        }
    }
}

impl Parameters for GroupAdd {
    const OP_ID: &'static str = "OP_GROUP_ADD";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::GroupAdd, HookType::Group));

    fn subject(&self) -> Option<String> {
        Some(self.group_name.clone())
    }
}
