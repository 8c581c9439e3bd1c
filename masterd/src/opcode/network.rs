//! Opcodes about networks.

mod add;
mod connect;
mod disconnect;
mod remove;
mod rename;
mod set_params;

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::config::{Config, Network, NodeGroup};
use gannet_core::id::NodeUuid;
use gannet_core::lock::Lock;

use crate::held::Held;
use crate::refusal::Refusal;
use crate::reserve::Resource;
use crate::rule::pool::{self, Pool};
use crate::unit::Hooks;

impl From<pool::Error> for Refusal {
    fn from(error: pool::Error) -> Self {
        Self::invalid(error.to_string())
    }
}

/// Hooks about a network, on these nodes in both phases. Variables without a value are left out.
fn hooks(path: &str, nodes: BTreeSet<NodeUuid>, env: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Hooks {
    Hooks {
        path: path.to_owned(),
        object_type: "NETWORK".to_owned(),
        pre_nodes: nodes.clone(),
        post_nodes: nodes,
        env: env.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
        post_env: BTreeMap::new(),
    }
}

/// What hooks are told of a network (`parity/hooks.json`).
fn described(network: &Network) -> [(&'static str, Option<String>); 7] {
    let tags: Vec<String> = network.tags.iter().map(ToString::to_string).collect();
    [
        ("NETWORK_NAME", Some(network.name.clone())),
        ("NETWORK_SUBNET", Some(network.network.clone())),
        ("NETWORK_GATEWAY", network.gateway.clone()),
        ("NETWORK_SUBNET6", network.network6.clone()),
        ("NETWORK_GATEWAY6", network.gateway6.clone()),
        ("NETWORK_MAC_PREFIX", network.mac_prefix.clone()),
        ("NETWORK_TAGS", (!tags.is_empty()).then(|| tags.join(" "))),
    ]
}

/// What hooks are told of a network's place in a group.
fn placed(config: &Config, group: &NodeGroup, network: &Network) -> Vec<(&'static str, Option<String>)> {
    let value = |name: &str| {
        let own = group.networks.get(&network.uuid)?;
        let filled = gannet_core::param::fill::nic(&config.cluster().nicparams, Some(own), &gannet_core::config::ParamMap::new());
        filled.into_inner().0.get(name).and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    vec![
        ("GROUP_NAME", Some(group.name.clone())),
        ("GROUP_NETWORK_MODE", value("mode")),
        ("GROUP_NETWORK_LINK", value("link")),
        ("GROUP_NETWORK_VLAN", value("vlan")),
    ]
}

/// The nodes of a group.
fn members(config: &Config, group: &NodeGroup) -> BTreeSet<NodeUuid> {
    config.nodes_of_group(&group.uuid).map(|node| node.uuid.clone()).collect()
}

/// Refuses a name that another network has, or will have when the job that makes it ends.
fn check_new_name(held: &Held<'_>, name: &str) -> Result<(), Refusal> {
    if gannet_core::id::is_uuid(name) {
        return Err(Refusal::invalid(format!("'{name}' has the form of a UUID: a network needs a name")));
    }
    if let Some(other) = held.config().networks().find(|other| other.name == name) {
        return Err(Refusal::exists(format!("Desired network name '{name}' already exists as a network (UUID: {})", other.uuid)));
    }
    if held.reserve(Resource::NetworkName(name.to_owned())) {
        return Ok(());
    }
    Err(Refusal::exists(format!("Desired network name '{name}' was taken by another job just now")))
}

/// The first three bytes of MAC addresses, in the form that Ganeti stores.
fn mac_prefix(text: &str) -> Result<String, Refusal> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_byte = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    if parts.len() == 3 && parts.iter().all(is_byte) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Refusal::invalid(format!("Invalid MAC address prefix '{text}': it is like aa:00:01")))
}

/// The locks of the group's instances.
fn instance_locks(config: &Config, group: &NodeGroup) -> Vec<Lock> {
    let nodes = members(config, group);
    let instances = config.instances().filter(|instance| nodes.contains(&instance.primary_node));
    instances.map(|instance| Lock::Instance(instance.name.clone())).collect()
}

/// NICs of the group's instances that `is_meant`, as `instance/index: address`.
fn nics_in_the_way(config: &Config, group: &NodeGroup, is_meant: impl Fn(&gannet_core::config::Nic) -> bool) -> Vec<String> {
    let nodes = members(config, group);
    let instances = config.instances().filter(|instance| nodes.contains(&instance.primary_node));
    let name = |instance: &gannet_core::config::Instance, index: usize, ip: Option<&str>| {
        format!("nic{index}/{} of instance {}", ip.unwrap_or("no address"), instance.name)
    };
    let of_instance = |instance: &std::sync::Arc<gannet_core::config::Instance>| {
        let meant = instance.nics.iter().enumerate().filter(|(_, nic)| is_meant(nic));
        meant.map(|(index, nic)| name(instance, index, nic.ip.as_deref())).collect::<Vec<_>>()
    };
    instances.flat_map(of_instance).collect()
}

/// Refuses when a NIC is in the way.
fn refuse_conflicts(held: &Held<'_>, network: &Network, group: &NodeGroup, what: &str, found: &[String]) -> Result<(), Refusal> {
    if found.is_empty() {
        return Ok(());
    }
    let (network, group) = (&network.name, &group.name);
    held.log()
        .warn(format!("Addresses of network '{network}', which is about to {what} node group '{group}', are in use: {}", found.join(", ")));
    Err(Refusal::state(format!(
        "Conflicting IP addresses found ({}); remove or modify the corresponding network interfaces with `gnt-instance modify --net`",
        found.join(", ")
    )))
}

/// The pool of a network of the configuration.
fn pool_of(network: &Network) -> Result<Pool, Refusal> {
    Pool::of(network).map_err(|error| Refusal::state(format!("Network {} cannot be read: {error}", network.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn prefixes_are_three_bytes() {
        assert_eq!(mac_prefix("AA:00:0f").expect("a prefix"), "aa:00:0f");
        for wrong in ["aa:00", "aa:00:0g", "aa:0:00", "aa:00:00:00", ""] {
            assert!(mac_prefix(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn variables_without_a_value_are_left_out() {
        let network = sample::network("net1", "192.0.2.0/28");
        let hooks = hooks("network-add", BTreeSet::new(), described(&network));
        assert_eq!(hooks.env.keys().collect::<Vec<_>>(), ["NETWORK_NAME", "NETWORK_SUBNET"]);
    }

    #[test]
    fn nics_in_the_way_are_named() {
        let config = sample::config();
        let group = config.groups().next().expect("the sample has one");
        let all = nics_in_the_way(&config, group, |_| true);
        assert!(all.iter().any(|text| text.contains("nic0") && text.contains("web1")), "{all:?}");
        assert!(nics_in_the_way(&config, group, |nic| nic.network.is_some()).is_empty());
    }
}
