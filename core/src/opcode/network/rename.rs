//! `OP_NETWORK_RENAME`: gives a network another name.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};

/// Parameters of `OP_NETWORK_RENAME`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRename {
    /// Name of the network.
    #[serde(deserialize_with = "check::nonempty")]
    pub network_name: String,
    /// The new name.
    #[serde(deserialize_with = "check::nonempty")]
    pub new_name: String,
}

impl NetworkRename {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(network_name: impl Into<String>, new_name: impl Into<String>) -> Self {
        Self { network_name: network_name.into(), new_name: new_name.into() }
    }
}

impl Parameters for NetworkRename {
    const OP_ID: &'static str = "OP_NETWORK_RENAME";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::NetworkRename, HookType::Network));
}
