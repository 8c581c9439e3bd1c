//! Instances.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Nic, ParamMap, Stamps, is_false};
use crate::id::{DiskUuid, InstanceUuid, NodeUuid};
use crate::name::InstanceName;
use crate::tag::TagSet;

/// What the operator wants of an instance. What is seen on the node is kept apart (`oper_state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdminState {
    Up,
    Down,
    /// Its resources are not reserved.
    Offline,
}

impl AdminState {
    /// Ganeti's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Offline => "offline",
        }
    }
}

/// Who wanted it: the operator, or the guest by shutting itself down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdminStateSource {
    Admin,
    User,
}

impl AdminStateSource {
    /// Ganeti's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
        }
    }
}

/// A virtual machine as configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    pub name: InstanceName,
    pub primary_node: NodeUuid,
    /// OS definition and variant (`debian+minimal`); empty when none was installed.
    pub os: String,
    pub hypervisor: String,
    #[serde(default)]
    pub hvparams: ParamMap,
    #[serde(default)]
    pub beparams: ParamMap,
    #[serde(default)]
    pub osparams: BTreeMap<String, String>,
    #[serde(default)]
    pub osparams_private: BTreeMap<String, String>,
    pub admin_state: AdminState,
    pub admin_state_source: AdminStateSource,
    #[serde(default)]
    pub nics: Vec<Nic>,
    /// In order; the objects are in [`super::Config`].
    #[serde(default)]
    pub disks: Vec<DiskUuid>,
    /// Whether the disks should be assembled on the primary node.
    pub disks_active: bool,
    /// TCP port of the graphical console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_port: Option<u16>,
    /// Reserved, not yet created.
    #[serde(default, skip_serializing_if = "is_false")]
    pub forthcoming: bool,
    #[serde(flatten)]
    pub stamps: Stamps,
    pub uuid: InstanceUuid,
    #[serde(default)]
    pub tags: TagSet,
}
