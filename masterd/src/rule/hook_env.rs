//! The environment of hooks about an instance (`parity/hooks.json`: instance_env), without the prefix `GANETI_`.

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::config::{Config, Disk, Instance, LogicalId, Nic, ParamMap};
use gannet_core::id::NodeUuid;
use gannet_core::param::{NicMode, shown};
use serde_json::Value;

use super::spec;
use crate::unit::Hooks;

/// Variables by name.
pub type Env = BTreeMap<String, String>;

/// The variables of an instance that is in the configuration.
#[must_use]
pub fn instance_env(config: &Config, instance: &Instance) -> Env {
    let disks: Vec<&Disk> = config.disks_of(instance).map(|disk| &**disk).collect();
    env_with(config, instance, &disks)
}

/// The same with disks that need not be in the configuration yet.
#[must_use]
pub fn env_with(config: &Config, instance: &Instance, disks: &[&Disk]) -> Env {
    let be = spec::be(config, instance);
    let mut secondaries: Vec<String> = Vec::new();
    for node in disks.iter().flat_map(|disk| &disk.nodes).filter(|node| **node != instance.primary_node) {
        let name = spec::node_name(config, node);
        if !secondaries.contains(&name) {
            secondaries.push(name);
        }
    }
    let template = disks.first().map_or("diskless", |disk| disk.dev_type.as_str());
    let tags: Vec<&str> = instance.tags.iter().map(gannet_core::tag::Tag::as_str).collect();
    let mut env: Env = [
        ("OP_TARGET", instance.name.to_string()),
        ("INSTANCE_NAME", instance.name.to_string()),
        ("INSTANCE_PRIMARY", spec::node_name(config, &instance.primary_node)),
        ("INSTANCE_SECONDARIES", secondaries.join(" ")),
        ("INSTANCE_OS_TYPE", instance.os.clone()),
        ("INSTANCE_STATUS", instance.admin_state.as_str().to_owned()),
        ("INSTANCE_MINMEM", be.minmem().0.to_string()),
        ("INSTANCE_MAXMEM", be.maxmem().0.to_string()),
        ("INSTANCE_MEMORY", be.maxmem().0.to_string()),
        ("INSTANCE_VCPUS", be.vcpus().to_string()),
        ("INSTANCE_DISK_TEMPLATE", template.to_owned()),
        ("INSTANCE_HYPERVISOR", instance.hypervisor.clone()),
        ("INSTANCE_NIC_COUNT", instance.nics.len().to_string()),
        ("INSTANCE_DISK_COUNT", disks.len().to_string()),
        ("INSTANCE_TAGS", tags.join(" ")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    for (index, nic) in instance.nics.iter().enumerate() {
        add_nic(&mut env, config, instance, nic, index);
    }
    for (index, disk) in disks.iter().enumerate() {
        add_disk(&mut env, disk, index);
    }
    add_params(&mut env, "INSTANCE_BE_", &be.0);
    add_params(&mut env, "INSTANCE_HV_", &spec::hv(config, instance).0);
    env
}

fn add_params(env: &mut Env, prefix: &str, params: &ParamMap) {
    env.extend(params.iter().map(|(name, value)| (format!("{prefix}{name}"), shown(value))));
}

fn add_nic(env: &mut Env, config: &Config, instance: &Instance, nic: &Nic, index: usize) {
    let params = spec::nic(config, spec::group_of(config, &instance.primary_node), nic);
    let mut put = |name: &str, value: &str| {
        env.insert(format!("INSTANCE_NIC{index}_{name}"), value.to_owned());
    };
    if let Some(name) = &nic.name {
        put("NAME", name);
    }
    put("UUID", nic.uuid.as_str());
    put("IP", nic.ip.as_deref().unwrap_or_default());
    put("MAC", &nic.mac);
    put("MODE", params.mode().map_or("", |mode| mode.as_str()));
    put("LINK", params.link());
    put("VLAN", params.vlan());
    if matches!(params.mode(), Some(NicMode::Bridged | NicMode::OpenVswitch)) {
        put("BRIDGE", params.link());
    }
    let Some(network) = nic.network.as_ref().and_then(|uuid| config.network(uuid)) else { return };
    let tags: Vec<&str> = network.tags.iter().map(gannet_core::tag::Tag::as_str).collect();
    put("NETWORK_NAME", &network.name);
    put("NETWORK_UUID", network.uuid.as_str());
    put("NETWORK_TAGS", &tags.join(" "));
    put("NETWORK_SUBNET", &network.network);
    let optional = [
        ("NETWORK_GATEWAY", &network.gateway),
        ("NETWORK_SUBNET6", &network.network6),
        ("NETWORK_GATEWAY6", &network.gateway6),
        ("NETWORK_MAC_PREFIX", &network.mac_prefix),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            put(name, value);
        }
    }
}

fn add_disk(env: &mut Env, disk: &Disk, index: usize) {
    let mut put = |name: &str, value: String| {
        env.insert(format!("INSTANCE_DISK{index}_{name}"), value);
    };
    if let Some(name) = &disk.name {
        put("NAME", name.clone());
    }
    put("UUID", disk.uuid.to_string());
    put("SIZE", disk.size.0.to_string());
    put("MODE", disk.mode.as_str().to_owned());
    put("DEV_TYPE", disk.dev_type.clone());
    let volume = |child: usize| match disk.children.get(child).map(|child| &child.logical_id) {
        Some(LogicalId::Plain { vg, lv }) => (vg.clone(), lv.clone()),
        _ => (String::new(), String::new()),
    };
    match &disk.logical_id {
        LogicalId::Plain { vg, lv } => {
            put("VG", vg.clone());
            put("ID", lv.clone());
        }
        LogicalId::File { driver, path } => {
            put("DRIVER", driver.clone());
            put("ID", path.clone());
        }
        LogicalId::Rbd { pool, name } => {
            put("DRIVER", pool.clone());
            put("ID", name.clone());
        }
        LogicalId::Ext { provider, name } => {
            put("PROVIDER", provider.clone());
            put("ID", name.clone());
        }
        LogicalId::Drbd { node_a, node_b, port, minor_a, minor_b, .. } => {
            put("PNODE", node_a.to_string());
            put("SNODE", node_b.to_string());
            put("PORT", port.to_string());
            put("PMINOR", minor_a.to_string());
            put("SMINOR", minor_b.to_string());
            let ((data_vg, data_lv), (meta_vg, meta_lv)) = (volume(0), volume(1));
            put("DATA_VG", data_vg);
            put("DATA_ID", data_lv);
            put("META_VG", meta_vg);
            put("META_ID", meta_lv);
        }
    }
}

/// A flag in an environment: `True` or `False`.
#[must_use]
pub fn flag(value: bool) -> String {
    shown(&Value::Bool(value))
}

/// The master and the instance's nodes: where most hooks about instances run.
#[must_use]
pub fn instance_nodes(config: &Config, instance: &Instance) -> BTreeSet<NodeUuid> {
    let secondaries = config.secondary_nodes(instance).cloned();
    [config.cluster().master_node.clone(), instance.primary_node.clone()].into_iter().chain(secondaries).collect()
}

/// Hooks of `path` around an operation on an instance of the configuration: on the master and the instance's nodes, with
/// `extra` variables. Whoever needs other nodes changes them in the result.
#[must_use]
pub fn instance_hooks(path: &str, config: &Config, instance: &Instance, extra: &[(&str, String)]) -> Hooks {
    let nodes = instance_nodes(config, instance);
    let mut env = instance_env(config, instance);
    env.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Hooks {
        path: path.to_owned(),
        object_type: "INSTANCE".to_owned(),
        pre_nodes: nodes.clone(),
        post_nodes: nodes,
        env,
        post_env: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn an_instance_is_told_whole() {
        let config = sample::config();
        let instance = config.find_instance("web1").unwrap();
        let hooks = instance_hooks("instance-start", &config, instance, &[("FORCE", flag(false))]);
        let get = |name: &str| hooks.env.get(name).map(String::as_str);
        assert_eq!(get("OP_TARGET"), Some("web1.example.com"));
        assert_eq!(get("INSTANCE_PRIMARY"), Some("node1.example.com"));
        assert_eq!(get("INSTANCE_STATUS"), Some("up"));
        assert_eq!(get("INSTANCE_MEMORY"), Some("256"));
        assert_eq!(get("INSTANCE_DISK_TEMPLATE"), Some("file"));
        assert_eq!(get("INSTANCE_NIC0_BRIDGE"), Some("br0"));
        assert_eq!(get("INSTANCE_DISK0_DRIVER"), Some("loop"));
        assert_eq!(get("INSTANCE_BE_auto_balance"), Some("True"));
        assert_eq!(get("FORCE"), Some("False"));
        assert_eq!(get("INSTANCE_NIC0_NETWORK_NAME"), None);
        assert_eq!(hooks.pre_nodes.len(), 1, "the master is the primary node here");
    }
}
