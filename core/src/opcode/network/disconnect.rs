//! `OP_NETWORK_DISCONNECT`: takes a network away from a node group.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};

/// Parameters of `OP_NETWORK_DISCONNECT`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkDisconnect {
    /// Name of the node group.
    #[serde(deserialize_with = "check::nonempty")]
    pub group_name: String,
    /// Name of the network.
    #[serde(deserialize_with = "check::nonempty")]
    pub network_name: String,
}

impl NetworkDisconnect {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(group_name: impl Into<String>, network_name: impl Into<String>) -> Self {
        Self { group_name: group_name.into(), network_name: network_name.into() }
    }
}

impl Parameters for NetworkDisconnect {
    const OP_ID: &'static str = "OP_NETWORK_DISCONNECT";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::NetworkDisconnect, HookType::Network));

    fn subject(&self) -> Option<String> {
        Some(self.network_name.clone())
    }
}
