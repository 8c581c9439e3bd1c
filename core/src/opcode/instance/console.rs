//! `OP_INSTANCE_CONSOLE`: answers how to reach the console of an instance.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_INSTANCE_CONSOLE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceConsole {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
}

impl InstanceConsole {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>) -> Self {
        Self { instance_name: instance_name.into(), instance_uuid: None }
    }
}

impl Parameters for InstanceConsole {
    const OP_ID: &'static str = "OP_INSTANCE_CONSOLE";

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}
