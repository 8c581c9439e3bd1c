//! `OP_NODE_ADD`: adds a node to the cluster, or adds it again after a repair.

use serde::{Deserialize, Serialize};

use crate::opcode::{Dict, HookPath, HookType, Parameters, check};

/// Parameters of `OP_NODE_ADD`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeAdd {
    /// Name of the node.
    #[serde(deserialize_with = "check::nonempty")]
    pub node_name: String,
    /// Capacities of nodes per hypervisor, replacing those the hypervisors report.
    pub hv_state: Option<Dict>,
    /// Capacities of storage, replacing those the nodes report.
    pub disk_state: Option<Dict>,
    /// Primary IP address; `None` means what the name resolves to.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub primary_ip: Option<String>,
    /// IP address for replication; `None` means the primary one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub secondary_ip: Option<String>,
    /// The node is known and comes back.
    #[serde(default)]
    pub readd: bool,
    /// Node group of the node; `None` means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub group: Option<String>,
    /// Whether the node may become master.
    pub master_capable: Option<bool>,
    /// Whether the node may host instances.
    pub vm_capable: Option<bool>,
    /// Node parameters.
    pub ndparams: Option<Dict>,
    /// Set up SSH on the node as well.
    #[serde(default)]
    pub node_setup: bool,
}

impl NodeAdd {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(node_name: impl Into<String>) -> Self {
        Self {
            node_name: node_name.into(),
            hv_state: None,
            disk_state: None,
            primary_ip: None,
            secondary_ip: None,
            readd: false,
            group: None,
            master_capable: None,
            vm_capable: None,
            ndparams: None,
            node_setup: false,
        }
    }
}

impl Parameters for NodeAdd {
    const OP_ID: &'static str = "OP_NODE_ADD";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::NodeAdd, HookType::Node));
    const NEEDS_BGL: bool = true;

    fn subject(&self) -> Option<String> {
        Some(self.node_name.clone())
    }
}
