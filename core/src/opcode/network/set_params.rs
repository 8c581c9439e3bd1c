//! `OP_NETWORK_SET_PARAMS`: modifies a network.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, check};

/// Parameters of `OP_NETWORK_SET_PARAMS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSetParams {
    /// Name of the network.
    #[serde(deserialize_with = "check::nonempty")]
    pub network_name: String,
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
    /// Reserved addresses that instances may get again.
    pub remove_reserved_ips: Option<Vec<Ipv4Addr>>,
}

impl NetworkSetParams {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(network_name: impl Into<String>) -> Self {
        Self {
            network_name: network_name.into(),
            gateway: None,
            network6: None,
            gateway6: None,
            mac_prefix: None,
            add_reserved_ips: None,
            remove_reserved_ips: None,
        }
    }
}

impl Parameters for NetworkSetParams {
    const OP_ID: &'static str = "OP_NETWORK_SET_PARAMS";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::NetworkModify, HookType::Network));

    fn subject(&self) -> Option<String> {
        Some(self.network_name.clone())
    }
}
