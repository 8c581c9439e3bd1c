//! `OP_CLUSTER_RENAME`: gives the cluster another name, and with it another master IP address.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};

/// Parameters of `OP_CLUSTER_RENAME`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterRename {
    /// The new name; must resolve.
    #[serde(deserialize_with = "check::nonempty")]
    pub name: String,
}

impl ClusterRename {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl Parameters for ClusterRename {
    const OP_ID: &'static str = "OP_CLUSTER_RENAME";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::ClusterRename, HookType::Cluster));
    const NEEDS_BGL: bool = true;

    fn subject(&self) -> Option<String> {
        Some(self.name.clone())
    }
}
