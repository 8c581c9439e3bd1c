//! Network interfaces of instances.

use serde::{Deserialize, Serialize};

use super::ParamMap;
use crate::id::{NetworkUuid, NicUuid};

/// A NIC as configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nic {
    pub mac: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// `mode`, `link`, `vlan`, as far as set on this NIC.
    pub nicparams: ParamMap,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkUuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub uuid: NicUuid,
}
