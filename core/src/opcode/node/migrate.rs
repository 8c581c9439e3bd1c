//! `OP_NODE_MIGRATE`: migrates all primary instances of a node away.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check, default};
use crate::param::MigrationMode;

/// Parameters of `OP_NODE_MIGRATE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeMigrate {
    /// Name of the node.
    #[serde(deserialize_with = "check::nonempty")]
    pub node_name: String,
    /// UUID of the node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub node_uuid: Option<String>,
    /// Whether guests keep running; `None` means as their hypervisor parameters say.
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
    /// Iallocator to ask for places; `None` with no other choice given means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
}

impl NodeMigrate {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(node_name: impl Into<String>) -> Self {
        Self {
            node_name: node_name.into(),
            node_uuid: None,
            mode: None,
            live: None,
            target_node: None,
            target_node_uuid: None,
            allow_runtime_changes: true,
            ignore_ipolicy: false,
            iallocator: None,
        }
    }
}

impl Parameters for NodeMigrate {
    const OP_ID: &'static str = "OP_NODE_MIGRATE";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::NodeMigrate, HookType::Node));

    fn subject(&self) -> Option<String> {
        Some(self.node_name.clone())
    }
}
