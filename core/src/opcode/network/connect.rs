//! `OP_NETWORK_CONNECT`: makes a network usable in a node group.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check, default};
use crate::param::NicMode;

/// Parameters of `OP_NETWORK_CONNECT`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConnect {
    /// Name of the node group.
    #[serde(deserialize_with = "check::nonempty")]
    pub group_name: String,
    /// Name of the network.
    #[serde(deserialize_with = "check::nonempty")]
    pub network_name: String,
    /// How NICs in this network are connected.
    pub network_mode: NicMode,
    /// Bridge, switch or routing table of the network in this group.
    #[serde(deserialize_with = "check::nonempty")]
    pub network_link: String,
    /// VLAN of the network in this group.
    #[serde(default)]
    pub network_vlan: String,
    /// Require that no instance of the group has one of the addresses without being in the network.
    #[serde(default = "default::yes")]
    pub conflicts_check: bool,
}

impl NetworkConnect {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(
        group_name: impl Into<String>,
        network_name: impl Into<String>,
        network_mode: NicMode,
        network_link: impl Into<String>,
    ) -> Self {
        Self {
            group_name: group_name.into(),
            network_name: network_name.into(),
            network_mode,
            network_link: network_link.into(),
            network_vlan: String::new(),
            conflicts_check: true,
        }
    }
}

impl Parameters for NetworkConnect {
    const OP_ID: &'static str = "OP_NETWORK_CONNECT";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::NetworkConnect, HookType::Network));

    fn subject(&self) -> Option<String> {
        Some(self.network_name.clone())
    }
}
