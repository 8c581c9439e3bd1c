//! `OP_NETWORK_ADD`: adds a network, that is, a pool of addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check, default};

/// Parameters of `OP_NETWORK_ADD`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkAdd {
    /// Name of the network.
    #[serde(deserialize_with = "check::nonempty")]
    pub network_name: String,
    /// IPv4 network, `address/prefix length`.
    #[serde(deserialize_with = "check::ipv4_network")]
    pub network: String,
    /// IPv4 address of the gateway.
    pub gateway: Option<Ipv4Addr>,
    /// IPv6 network, `address/prefix length`.
    #[serde(default, deserialize_with = "check::maybe_ipv6_network")]
    pub network6: Option<String>,
    /// IPv6 address of the gateway.
    pub gateway6: Option<Ipv6Addr>,
    /// First three bytes of generated MAC addresses, `xx:xx:xx`.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub mac_prefix: Option<String>,
    /// Addresses that instances must not get.
    pub add_reserved_ips: Option<Vec<Ipv4Addr>>,
    /// Require that no node or instance outside the network has one of its addresses.
    #[serde(default = "default::yes")]
    pub conflicts_check: bool,
    /// Tags.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub tags: Vec<String>,
}

impl NetworkAdd {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(network_name: impl Into<String>, network: impl Into<String>) -> Self {
        Self {
            network_name: network_name.into(),
            network: network.into(),
            gateway: None,
            network6: None,
            gateway6: None,
            mac_prefix: None,
            add_reserved_ips: None,
            conflicts_check: true,
            tags: Vec::new(),
        }
    }
}

impl Parameters for NetworkAdd {
    const OP_ID: &'static str = "OP_NETWORK_ADD";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::NetworkAdd, HookType::Network));

    fn subject(&self) -> Option<String> {
        Some(self.network_name.clone())
    }
}
