//! `OP_INSTANCE_REINSTALL`: installs the OS of an instance anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::opcode::{Dict, HookPath, HookType, Parameters, Private, Secret, check};

/// Parameters of `OP_INSTANCE_REINSTALL`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceReinstall {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Accept an OS variant that the OS does not declare.
    #[serde(default)]
    pub force_variant: bool,
    /// The new OS; `None` keeps it.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub os_type: Option<String>,
    /// OS parameters that anybody may see.
    pub osparams: Option<Dict>,
    /// OS parameters that are stored but not shown.
    pub osparams_private: Option<BTreeMap<String, Private<Value>>>,
    /// OS parameters that are not stored.
    pub osparams_secret: Option<BTreeMap<String, Secret<Value>>>,
}

impl InstanceReinstall {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            force_variant: false,
            os_type: None,
            osparams: None,
            osparams_private: None,
            osparams_secret: None,
        }
    }
}

impl Parameters for InstanceReinstall {
    const OP_ID: &'static str = "OP_INSTANCE_REINSTALL";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceReinstall, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}
