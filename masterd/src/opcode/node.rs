//! Opcodes about nodes.

mod add;
mod evacuate;
mod migrate;
mod query_storage;
mod queryvols;
mod remove;
mod set_params;

use std::net::IpAddr;

use gannet_core::config::{Config, Node};

use crate::refusal::Refusal;

pub(in crate::opcode) use queryvols::units as storage_units;

/// All nodes with one network, or all with two (Ganeti: homing).
fn check_homing(config: &Config, primary: &str, secondary: &str) -> Result<(), Refusal> {
    let Some(master) = config.master() else { return Ok(()) };
    match (master.primary_ip == master.secondary_ip, primary == secondary) {
        (true, false) => Err(Refusal::invalid("The master has no secondary ip but the new node has one")),
        (false, true) => Err(Refusal::invalid("The master has a secondary ip but the new node doesn't have one")),
        _ => Ok(()),
    }
}

/// No two nodes share an address.
fn check_unique_addresses(config: &Config, new: &Node) -> Result<(), Refusal> {
    let taken = |node: &&std::sync::Arc<Node>| {
        let old = [&node.primary_ip, &node.secondary_ip];
        node.uuid != new.uuid && (old.contains(&&new.primary_ip) || old.contains(&&new.secondary_ip))
    };
    match config.nodes().find(taken) {
        None => Ok(()),
        Some(node) => Err(Refusal::new(
            gannet_core::error::ErrorCode::NotUnique,
            format!("New node ip address(es) conflict with existing node {}", node.name),
        )),
    }
}

/// The address for replication.
fn secondary_ip(text: &str) -> Result<IpAddr, Refusal> {
    text.parse()
        .ok()
        .filter(IpAddr::is_ipv4)
        .ok_or_else(|| Refusal::invalid(format!("Secondary IP ({text}) needs to be a valid IPv4 address")))
}
