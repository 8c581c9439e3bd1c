//! NIC parameters: how a NIC is joined to the network of its node.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Filled, NicMode, Param};
use crate::config::ParamMap;

/// All NIC parameters.
pub const TABLE: &[Param] = &[Param::text("link", "xen-br0"), Param::text("mode", "bridged"), Param::text("vlan", "")];

/// NIC parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NicParams(pub ParamMap);

/// Why NIC parameters cannot be used. The wording is Ganeti's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NicError {
    /// There is no such mode.
    #[error("Invalid NIC mode '{0}'")]
    Mode(String),
    /// A bridged NIC needs a bridge.
    #[error("Missing bridged NIC link")]
    NoBridge,
}

impl Filled<NicParams> {
    /// How it is joined; `None` when the configuration holds a word that is no mode.
    #[must_use]
    pub fn mode(&self) -> Option<NicMode> {
        self.text("mode").parse().ok()
    }

    /// Bridge, switch or routing table.
    #[must_use]
    pub fn link(&self) -> &str {
        self.text("link")
    }

    /// VLAN on Open vSwitch, in the form of Ganeti; empty for none.
    #[must_use]
    pub fn vlan(&self) -> &str {
        self.text("vlan")
    }

    /// Whether the values fit together.
    ///
    /// # Errors
    /// The mode is none, or it needs a link that is not there.
    pub fn check(&self) -> Result<(), NicError> {
        match self.mode() {
            None if self.text("mode") != "auto" => Err(NicError::Mode(self.text("mode").to_owned())),
            Some(NicMode::Bridged) if self.link().is_empty() => Err(NicError::NoBridge),
            _ => Ok(()),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}
