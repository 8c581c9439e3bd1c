//! NICs of a new instance.

use std::collections::BTreeSet;
use std::net::IpAddr;

use gannet_core::config::{Config, Instance, Nic, ParamMap};
use gannet_core::id::{NicUuid, NodeUuid, is_uuid};
use gannet_core::opcode::{InstanceCreate, NicParam, NicParamsRequest};
use gannet_core::param::{NicMode, fill};
use serde_json::Value;

use super::params::without_defaults;
use crate::refusal::Refusal;
use crate::rule::spec;

/// Most NICs of one instance (Ganeti: MAX_NICS).
pub(in crate::opcode::instance) const MAX_NICS: usize = 8;
const AUTO: &str = "auto";
const NONE: &str = "none";

/// Reads all NICs. A MAC address that is to be made is left empty.
pub(super) fn read(config: &Config, op: &InstanceCreate, address: Option<&str>) -> Result<Vec<Nic>, Refusal> {
    if op.nics.len() > MAX_NICS {
        return Err(Refusal::invalid(format!("An instance can have at most {MAX_NICS} NICs")));
    }
    let nics = op.nics.iter().map(|request| one(config, op, request, address)).collect::<Result<Vec<_>, _>>()?;
    check_names("NIC", nics.iter().filter_map(|nic| nic.name.as_deref()))?;
    let macs = nics.iter().map(|nic| nic.mac.as_str()).filter(|mac| !mac.is_empty());
    let mut seen = BTreeSet::new();
    match macs.into_iter().find(|mac| !seen.insert(*mac)) {
        Some(mac) => Err(Refusal::invalid(format!("MAC address {mac} is used by two NICs of the request"))),
        None => Ok(nics),
    }
}

fn one(config: &Config, op: &InstanceCreate, request: &NicParamsRequest, address: Option<&str>) -> Result<Nic, Refusal> {
    let get = |param: NicParam| request.get(param).filter(|value| !value.is_empty());
    let not_auto = |param: NicParam| get(param).filter(|value| !value.eq_ignore_ascii_case(AUTO));
    let network = get(NicParam::Network).filter(|name| !name.eq_ignore_ascii_case(NONE));
    if get(NicParam::Bridge).is_some() && get(NicParam::Link).is_some() {
        return Err(Refusal::invalid("Cannot pass 'bridge' and 'link' at the same time"));
    }
    let link = not_auto(NicParam::Bridge).or_else(|| not_auto(NicParam::Link));
    let mode = not_auto(NicParam::Mode);
    if network.is_some() && (mode.is_some() || link.is_some()) {
        return Err(Refusal::invalid("If network is given, no mode or link is allowed to be passed"));
    }
    let own: ParamMap = [("mode", mode), ("link", link), ("vlan", not_auto(NicParam::Vlan))]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect();
    let cluster = &config.cluster().nicparams;
    let filled = fill::nic(cluster, None, &own);
    filled.check().map_err(|error| Refusal::invalid(error.to_string()))?;
    if !filled.vlan().is_empty() && network.is_none() && filled.mode() != Some(NicMode::OpenVswitch) && own.contains_key("vlan") {
        return Err(Refusal::invalid("A vlan can only be given for NICs on Open vSwitch (mode openvswitch)"));
    }
    let ip = ip(op, get(NicParam::Ip), network, address)?;
    if filled.mode() == Some(NicMode::Routed) && ip.is_none() && network.is_none() {
        return Err(Refusal::invalid("Routed nic mode requires an ip address"));
    }
    let network = network.map(|name| config.find_network(name)).transpose()?.map(|network| network.uuid.clone());
    Ok(Nic {
        mac: mac(get(NicParam::Mac))?,
        ip,
        nicparams: without_defaults(op, own, &fill::nic(cluster, None, &ParamMap::new()).0),
        network,
        name: get(NicParam::Name).filter(|name| !name.eq_ignore_ascii_case(NONE)).map(str::to_owned),
        uuid: NicUuid::random(),
    })
}

fn ip(op: &InstanceCreate, wanted: Option<&str>, network: Option<&str>, address: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(text) = wanted.filter(|text| !text.eq_ignore_ascii_case(NONE)) else { return Ok(None) };
    if text.eq_ignore_ascii_case(AUTO) {
        if !op.name_check {
            return Err(Refusal::invalid("IP address set to auto but name checks have been skipped"));
        }
        return Ok(address.map(str::to_owned));
    }
    if text.eq_ignore_ascii_case("pool") {
        return Err(Refusal::invalid(match network {
            None => "if ip=pool, parameter network must be passed too",
            Some(_) => "ip=pool: address pools are not available in this version of Gannet yet",
        }));
    }
    if text.parse::<IpAddr>().is_err() {
        return Err(Refusal::invalid(format!("Invalid IP address '{text}'")));
    }
    if network.is_some() {
        return Err(Refusal::invalid("Reserving an address in a network is not available in this version of Gannet yet"));
    }
    Ok(Some(text.to_owned()))
}

/// Lower case, six bytes; not that of a group of receivers. Empty: to be made.
pub(in crate::opcode::instance) fn mac(wanted: Option<&str>) -> Result<String, Refusal> {
    let Some(text) = wanted.filter(|text| !["auto", "generate"].contains(&text.to_ascii_lowercase().as_str())) else {
        return Ok(String::new());
    };
    let mac = text.to_ascii_lowercase();
    let bytes: Vec<&str> = mac.split(':').collect();
    let is_byte = |byte: &&str| byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit());
    let is_multicast = bytes.first().and_then(|byte| u8::from_str_radix(byte, 16).ok()).is_some_and(|byte| byte & 1 == 1);
    if bytes.len() != 6 || !bytes.iter().all(is_byte) || is_multicast {
        return Err(Refusal::invalid(format!("Invalid MAC address specified: {text}")));
    }
    Ok(mac)
}

/// Names of devices: not a number, not a UUID, each once (`parity/params.json`: names).
pub(in crate::opcode::instance) fn check_names<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.bytes().all(|digit| digit.is_ascii_digit()) || is_uuid(name) {
            return Err(Refusal::invalid(format!("{what} name '{name}' must be neither a number nor a UUID")));
        }
        if !seen.insert(name) {
            return Err(Refusal::invalid(format!("{what} name '{name}' already used")));
        }
    }
    Ok(())
}

/// What depends on the group of the chosen node: parameters of networks, and addresses that belong to them.
pub(super) fn check_on_group(config: &Config, op: &InstanceCreate, instance: &mut Instance) -> Result<(), Refusal> {
    let primary = instance.primary_node.clone();
    instance.nics.iter_mut().try_for_each(|nic| fit_group(config, &primary, op.conflicts_check, nic))
}

/// The same for one NIC.
pub(in crate::opcode::instance) fn fit_group(
    config: &Config,
    primary: &NodeUuid,
    conflicts_check: bool,
    nic: &mut Nic,
) -> Result<(), Refusal> {
    let Some(group) = spec::group_of(config, primary) else { return Ok(()) };
    if let Some(network) = &nic.network {
        let name = config.network(network).map_or_else(|| network.to_string(), |network| network.name.clone());
        let Some(params) = group.networks.get(network) else {
            let node = spec::node_name(config, primary);
            return Err(Refusal::invalid(format!(
                "No netparams found for network {name}. Probably not connected to node's {node} nodegroup"
            )));
        };
        nic.nicparams = params.clone();
    } else if let (Some(ip), true) = (&nic.ip, conflicts_check) {
        let networks = group.networks.keys().filter_map(|uuid| config.network(uuid));
        if let Some(network) = networks.into_iter().find(|network| contains(&network.network, ip)) {
            return Err(Refusal::state(format!(
                "The requested IP address ({ip}) belongs to network {}, but the target NIC does not.",
                network.name
            )));
        }
    }
    Ok(())
}

/// Whether `a.b.c.d/n` contains the address.
fn contains(network: &str, ip: &str) -> bool {
    let Some((base, prefix)) = network.split_once('/') else { return false };
    let (Ok(base), Ok(ip), Ok(prefix)) = (base.parse::<std::net::Ipv4Addr>(), ip.parse::<std::net::Ipv4Addr>(), prefix.parse::<u32>())
    else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix)).unwrap_or(0);
    u32::from(base) & mask == u32::from(ip) & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_network() {
        assert!(contains("192.0.2.0/24", "192.0.2.77"));
        assert!(!contains("192.0.2.0/24", "192.0.3.1"));
        assert!(contains("0.0.0.0/0", "8.8.8.8"));
        assert!(!contains("rubbish", "8.8.8.8"));
    }
}
