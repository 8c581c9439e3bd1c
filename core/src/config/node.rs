//! Nodes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ParamMap, Stamps};
use crate::id::{GroupUuid, NodeUuid};
use crate::name::NodeName;
use crate::tag::TagSet;

/// A physical machine of the cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub name: NodeName,
    pub primary_ip: String,
    pub secondary_ip: String,
    pub master_candidate: bool,
    /// Known to be unreachable; nothing talks to it.
    pub offline: bool,
    /// Gets no new instances.
    pub drained: bool,
    pub group: GroupUuid,
    /// May become a master candidate.
    pub master_capable: bool,
    /// May hold instances.
    pub vm_capable: bool,
    pub ndparams: ParamMap,
    pub powered: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hv_state_static: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disk_state_static: BTreeMap<String, Value>,
    #[serde(flatten)]
    pub stamps: Stamps,
    pub uuid: NodeUuid,
    #[serde(default)]
    pub tags: TagSet,
}

/// Ganeti's one-letter node roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeRole {
    Master,
    Candidate,
    Regular,
    Drained,
    Offline,
}

impl NodeRole {
    /// `M`, `C`, `R`, `D` or `O`.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::Master => "M",
            Self::Candidate => "C",
            Self::Regular => "R",
            Self::Drained => "D",
            Self::Offline => "O",
        }
    }
}

impl Node {
    /// The node's role, given which node is the master.
    #[must_use]
    pub fn role(&self, master: &NodeUuid) -> NodeRole {
        if self.uuid == *master {
            NodeRole::Master
        } else if self.master_candidate {
            NodeRole::Candidate
        } else if self.drained {
            NodeRole::Drained
        } else if self.offline {
            NodeRole::Offline
        } else {
            NodeRole::Regular
        }
    }
}
