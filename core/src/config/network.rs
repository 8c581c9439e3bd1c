//! Networks: address pools.

use serde::{Deserialize, Serialize};

use super::Stamps;
use crate::id::NetworkUuid;
use crate::tag::TagSet;

/// A pool of IPv4 addresses for NICs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_prefix: Option<String>,
    /// `a.b.c.d/n`.
    pub network: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network6: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway6: Option<String>,
    /// One `0` or `1` per address: in use by NICs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservations: Option<String>,
    /// The same for addresses kept from use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext_reservations: Option<String>,
    pub uuid: NetworkUuid,
    #[serde(flatten)]
    pub stamps: Stamps,
    #[serde(default)]
    pub tags: TagSet,
}
