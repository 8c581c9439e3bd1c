//! `OP_GROUP_RENAME`: gives a node group another name.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};

/// Parameters of `OP_GROUP_RENAME`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRename {
    /// Name of the node group.
    #[serde(deserialize_with = "check::nonempty")]
    pub group_name: String,
    /// The new name.
    #[serde(deserialize_with = "check::nonempty")]
    pub new_name: String,
}

impl GroupRename {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(group_name: impl Into<String>, new_name: impl Into<String>) -> Self {
        Self { group_name: group_name.into(), new_name: new_name.into() }
    }
}

impl Parameters for GroupRename {
    const OP_ID: &'static str = "OP_GROUP_RENAME";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::GroupRename, HookType::Group));
}
