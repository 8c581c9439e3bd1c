//! Node parameters.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Filled, Param};
use crate::config::ParamMap;

/// All node parameters.
pub const TABLE: &[Param] = &[
    Param::float("cpu_speed", 1.0),
    Param::bool("exclusive_storage", false),
    Param::text("oob_program", ""),
    Param::bool("ovs", false),
    Param::maybe_text("ovs_link", ""),
    Param::maybe_text("ovs_name", "switch1"),
    Param::int("spindle_count", 1),
    Param::int("ssh_port", 22),
];

/// Parameters that a single node cannot have a value of its own for (Ganeti: NDC_GLOBALS).
pub const GROUP_ONLY: &[&str] = &["exclusive_storage"];

/// Node parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NdParams(pub ParamMap);

impl Filled<NdParams> {
    /// Whether each spindle serves one instance only.
    #[must_use]
    pub fn exclusive_storage(&self) -> bool {
        self.0.get("exclusive_storage") == Some(&Value::Bool(true))
    }

    /// Path of the out-of-band program; empty for none.
    #[must_use]
    pub fn oob_program(&self) -> &str {
        self.0.get("oob_program").and_then(Value::as_str).unwrap_or_default()
    }

    /// Spindles the node has.
    #[must_use]
    pub fn spindle_count(&self) -> u64 {
        self.0.get("spindle_count").and_then(Value::as_u64).unwrap_or(1)
    }

    /// TCP port of the node's SSH server.
    #[must_use]
    pub fn ssh_port(&self) -> u16 {
        self.0.get("ssh_port").and_then(Value::as_u64).and_then(|port| port.try_into().ok()).unwrap_or(22)
    }

    /// Speed of a CPU relative to the other nodes'.
    #[must_use]
    pub fn cpu_speed(&self) -> f64 {
        self.0.get("cpu_speed").and_then(Value::as_f64).unwrap_or(1.0)
    }
}
