//! `OP_GROUP_REMOVE`: removes an empty node group.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};

/// Parameters of `OP_GROUP_REMOVE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRemove {
    /// Name of the node group.
    #[serde(deserialize_with = "check::nonempty")]
    pub group_name: String,
}

impl GroupRemove {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(group_name: impl Into<String>) -> Self {
        Self { group_name: group_name.into() }
    }
}

impl Parameters for GroupRemove {
    const OP_ID: &'static str = "OP_GROUP_REMOVE";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::GroupRemove, HookType::Group));

    fn subject(&self) -> Option<String> {
        Some(self.group_name.clone())
    }
}
