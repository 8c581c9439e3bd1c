//! `OP_INSTANCE_RENAME`: gives an instance another name.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};

/// Parameters of `OP_INSTANCE_RENAME`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceRename {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// The new name.
    #[serde(deserialize_with = "check::nonempty")]
    pub new_name: String,
    /// Require that the name resolves.
    #[serde(default)]
    pub name_check: bool,
    /// Require that nobody answers on the address of the name.
    #[serde(default)]
    pub ip_check: bool,
}

impl InstanceRename {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>, new_name: impl Into<String>) -> Self {
        Self { instance_name: instance_name.into(), instance_uuid: None, new_name: new_name.into(), name_check: false, ip_check: false }
    }
}

impl Parameters for InstanceRename {
    const OP_ID: &'static str = "OP_INSTANCE_RENAME";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceRename, HookType::Instance));
}
