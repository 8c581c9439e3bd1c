//! `OP_OOB_COMMAND`: controls the power of nodes with their out-of-band program.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check, default};
use crate::param::closed_set;

/// Parameters of `OP_OOB_COMMAND`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OobCommand {
    /// Names of nodes; none means all.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub node_names: Vec<String>,
    /// UUIDs of these nodes, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub node_uuids: Option<Vec<String>>,
    /// What the program is told to do.
    pub command: OobAction,
    /// How long the program may take, in seconds.
    #[serde(default = "default::oob_timeout")]
    pub timeout: i64,
    /// Power off although the node is not marked offline.
    #[serde(default)]
    pub ignore_status: bool,
    /// Pause between powering on two nodes, in seconds.
    #[serde(default = "default::oob_power_delay")]
    pub power_delay: f64,
}

impl OobCommand {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(command: OobAction) -> Self {
        Self {
            node_names: Vec::new(),
            node_uuids: None,
            command,
            timeout: default::OOB_TIMEOUT_S,
            ignore_status: false,
            power_delay: default::OOB_POWER_DELAY_S,
        }
    }
}

impl Parameters for OobCommand {
    const OP_ID: &'static str = "OP_OOB_COMMAND";
}

closed_set! {
    /// What an out-of-band program is told to do.
    pub enum OobAction ("out-of-band command") {
        /// Report the state of the hardware.
        Health = "health",
        /// Reset the node.
        PowerCycle = "power-cycle",
        /// Power the node off.
        PowerOff = "power-off",
        /// Power the node on.
        PowerOn = "power-on",
        /// Report whether the node is powered.
        PowerStatus = "power-status",
    }
}
