//! `OP_NETWORK_REMOVE`: removes a network.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};

/// Parameters of `OP_NETWORK_REMOVE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRemove {
    /// Name of the network.
    #[serde(deserialize_with = "check::nonempty")]
    pub network_name: String,
    /// Do it although a check speaks against it.
    #[serde(default)]
    pub force: bool,
}

impl NetworkRemove {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(network_name: impl Into<String>) -> Self {
        Self { network_name: network_name.into(), force: false }
    }
}

impl Parameters for NetworkRemove {
    const OP_ID: &'static str = "OP_NETWORK_REMOVE";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::NetworkRemove, HookType::Network));

    fn subject(&self) -> Option<String> {
        Some(self.network_name.clone())
    }
}
