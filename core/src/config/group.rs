//! Node groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ParamMap, Stamps};
use crate::id::{GroupUuid, NetworkUuid};
use crate::tag::TagSet;

/// Whether new instances may be placed in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllocPolicy {
    Preferred,
    LastResort,
    Unallocable,
}

/// Nodes that share a network and storage; instances stay inside one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeGroup {
    pub name: String,
    pub ndparams: ParamMap,
    pub alloc_policy: AllocPolicy,
    /// Partial instance policy, as JSON; typed by [`crate::param::ipolicy`].
    pub ipolicy: Value,
    pub diskparams: BTreeMap<String, ParamMap>,
    /// NIC parameters of connected networks.
    pub networks: BTreeMap<NetworkUuid, ParamMap>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hv_state_static: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disk_state_static: BTreeMap<String, Value>,
    #[serde(flatten)]
    pub stamps: Stamps,
    pub uuid: GroupUuid,
    #[serde(default)]
    pub tags: TagSet,
}
