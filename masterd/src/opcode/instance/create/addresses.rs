//! MAC addresses and console ports: each once in the cluster, also among jobs that have not written theirs yet.

use std::collections::HashSet;

use gannet_core::config::{Config, Nic};
use gannet_core::error::ErrorCode;
use gannet_core::param::HypervisorKind;

use super::draft::Draft;
use crate::held::Held;
use crate::refusal::Refusal;
use crate::reserve::Resource;

/// Ports for graphical consoles (`parity/params.json`: ports, drbd).
const PORTS: std::ops::RangeInclusive<u16> = 11000..=14999;
/// How often a random address may be one that is taken: with 2^24 addresses this happens only when a prefix is nearly used up.
const MAX_TRIES: u32 = 1000;

/// Gives the draft what it needs, and reserves it.
pub(super) fn assign(held: &Held<'_>, draft: &mut Draft) -> Result<(), Refusal> {
    let config = held.config();
    let taken = taken(config);
    for nic in &mut draft.instance.nics {
        assign_mac(held, nic, &taken)?;
    }
    // Ganeti: HTS_REQ_PORT.
    if matches!(draft.hypervisor, HypervisorKind::Kvm | HypervisorKind::XenHvm) {
        draft.instance.network_port = Some(port(held, config)?);
    }
    Ok(())
}

/// The MAC addresses of all instances.
pub(in crate::opcode::instance) fn taken(config: &Config) -> HashSet<&str> {
    config.instances().flat_map(|instance| &instance.nics).map(|nic| nic.mac.as_str()).collect()
}

/// Makes a NIC's address, or reserves the one that it has.
pub(in crate::opcode::instance) fn assign_mac(held: &Held<'_>, nic: &mut Nic, taken: &HashSet<&str>) -> Result<(), Refusal> {
    let config = held.config();
    if nic.mac.is_empty() {
        let network = nic.network.as_ref().and_then(|uuid| config.network(uuid));
        let prefix = network.and_then(|network| network.mac_prefix.clone()).unwrap_or_else(|| config.cluster().mac_prefix.clone());
        nic.mac = made(held, &prefix, taken)?;
    } else if taken.contains(nic.mac.as_str()) || !held.reserve(Resource::Mac(nic.mac.clone())) {
        return Err(Refusal::new(ErrorCode::NotUnique, format!("MAC address {} already in use in cluster", nic.mac)));
    }
    Ok(())
}

fn made(held: &Held<'_>, prefix: &str, taken: &HashSet<&str>) -> Result<String, Refusal> {
    for _ in 0..MAX_TRIES {
        let [a, b, c] = rand::random::<[u8; 3]>();
        let mac = format!("{}:{a:02x}:{b:02x}:{c:02x}", prefix.to_ascii_lowercase());
        if !taken.contains(mac.as_str()) && held.reserve(Resource::Mac(mac.clone())) {
            return Ok(mac);
        }
    }
    Err(Refusal::no_resources(format!(
        "Can't generate unique MAC with the prefix {prefix}; set another one with `gnt-cluster modify --mac-prefix`"
    )))
}

fn port(held: &Held<'_>, config: &Config) -> Result<u16, Refusal> {
    let used: HashSet<u16> = config.instances().filter_map(|instance| instance.network_port).collect();
    let mut free = PORTS.filter(|port| !used.contains(port));
    free.find(|port| held.reserve(Resource::Port(*port)))
        .ok_or_else(|| Refusal::no_resources(format!("The highest used port is greater than {}. Aborting.", PORTS.end())))
}
