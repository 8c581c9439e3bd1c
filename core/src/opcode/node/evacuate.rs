//! `OP_NODE_EVACUATE`: moves instances away from a node.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};
use crate::param::closed_set;

/// Parameters of `OP_NODE_EVACUATE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEvacuate {
    /// Free the locks of old secondaries before the disks are in sync.
    #[serde(default)]
    pub early_release: bool,
    /// Name of the node.
    #[serde(deserialize_with = "check::nonempty")]
    pub node_name: String,
    /// UUID of the node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub node_uuid: Option<String>,
    /// The new secondary node; `None` leaves it to the iallocator.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub remote_node: Option<String>,
    /// UUID of the new secondary node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub remote_node_uuid: Option<String>,
    /// Iallocator to ask for places; `None` with no other choice given means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
    /// Which instances are moved.
    pub mode: EvacMode,
    /// Evacuate as many instances as possible instead of all or none.
    pub ignore_soft_errors: Option<bool>,
}

impl NodeEvacuate {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(node_name: impl Into<String>, mode: EvacMode) -> Self {
        Self {
            early_release: false,
            node_name: node_name.into(),
            node_uuid: None,
            remote_node: None,
            remote_node_uuid: None,
            iallocator: None,
            mode,
            ignore_soft_errors: None,
        }
    }
}

impl Parameters for NodeEvacuate {
    const OP_ID: &'static str = "OP_NODE_EVACUATE";

    fn subject(&self) -> Option<String> {
        Some(self.node_name.clone())
    }
}

closed_set! {
    /// Which instances leave a node.
    pub enum EvacMode ("evacuation mode") {
        /// All of them. Refused by the evacuation of a single node, as Ganeti does.
        All = "all",
        /// Those that have it as primary node.
        PrimaryOnly = "primary-only",
        /// Those that have it as secondary node.
        SecondaryOnly = "secondary-only",
    }
}
