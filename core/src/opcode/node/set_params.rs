//! `OP_NODE_SET_PARAMS`: modifies role and settings of a node.

use serde::{Deserialize, Serialize};

use crate::opcode::{Dict, HookPath, HookType, Parameters, check};

/// Parameters of `OP_NODE_SET_PARAMS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSetParams {
    /// Name of the node.
    #[serde(deserialize_with = "check::nonempty")]
    pub node_name: String,
    /// UUID of the node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub node_uuid: Option<String>,
    /// Do it although a check speaks against it.
    #[serde(default)]
    pub force: bool,
    /// Capacities of nodes per hypervisor, replacing those the hypervisors report.
    pub hv_state: Option<Dict>,
    /// Capacities of storage, replacing those the nodes report.
    pub disk_state: Option<Dict>,
    /// Whether the node is a master candidate.
    pub master_candidate: Option<bool>,
    /// Whether the node is offline.
    pub offline: Option<bool>,
    /// Whether the node gets no new instances.
    pub drained: Option<bool>,
    /// Make other nodes master candidates when one is lost by this.
    #[serde(default)]
    pub auto_promote: bool,
    /// Whether the node may become master.
    pub master_capable: Option<bool>,
    /// Whether the node may host instances.
    pub vm_capable: Option<bool>,
    /// New IP address for replication.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub secondary_ip: Option<String>,
    /// Node parameters.
    pub ndparams: Option<Dict>,
    /// Whether the node is recorded as powered.
    pub powered: Option<bool>,
}

impl NodeSetParams {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(node_name: impl Into<String>) -> Self {
        Self {
            node_name: node_name.into(),
            node_uuid: None,
            force: false,
            hv_state: None,
            disk_state: None,
            master_candidate: None,
            offline: None,
            drained: None,
            auto_promote: false,
            master_capable: None,
            vm_capable: None,
            secondary_ip: None,
            ndparams: None,
            powered: None,
        }
    }
}

impl Parameters for NodeSetParams {
    const OP_ID: &'static str = "OP_NODE_SET_PARAMS";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::NodeModify, HookType::Node));

    fn subject(&self) -> Option<String> {
        Some(self.node_name.clone())
    }
}
