//! What an instance is after inheritance, and the messages that tell a node so.

use std::collections::{BTreeMap, HashMap};

use gannet_core::config::{Config, Disk, Instance, Nic, Node, NodeGroup, ParamMap};
use gannet_core::id::NodeUuid;
use gannet_core::param::be::BeParams;
use gannet_core::param::hv::HvParams;
use gannet_core::param::ipolicy::{IPolicy, InstanceSpec, PartialIPolicy};
use gannet_core::param::nic::NicParams;
use gannet_core::param::{DiskTemplate, Filled, HvLayers, HypervisorKind, fill};
use gannet_proto::node::{self as proto, DiskRef, InstanceRef};
use gannet_proto::params_to_proto;

/// The hypervisor of an instance; one that this version does not know counts as fake parameters: it has none.
#[must_use]
pub fn hypervisor(instance: &Instance) -> HypervisorKind {
    instance.hypervisor.parse().unwrap_or(HypervisorKind::Fake)
}

/// Hypervisor parameters: cluster, OS, instance.
#[must_use]
pub fn hv(config: &Config, instance: &Instance) -> Filled<HvParams> {
    let cluster = config.cluster();
    let layers = HvLayers {
        cluster: &cluster.hvparams,
        os_hvp: &cluster.os_hvp,
        os: Some(&instance.os).filter(|os| !os.is_empty()).map(String::as_str),
        instance: &instance.hvparams,
    };
    fill::hv(hypervisor(instance), layers)
}

/// Backend parameters: cluster, instance.
#[must_use]
pub fn be(config: &Config, instance: &Instance) -> Filled<BeParams> {
    fill::be(&config.cluster().beparams, &instance.beparams)
}

/// Parameters of a NIC of an instance in `group`: cluster, the network's connection to the group, NIC.
#[must_use]
pub fn nic(config: &Config, group: Option<&NodeGroup>, nic: &Nic) -> Filled<NicParams> {
    let network = nic.network.as_ref().and_then(|network| group?.networks.get(network));
    fill::nic(&config.cluster().nicparams, network, &nic.nicparams)
}

/// The group of a node.
#[must_use]
pub fn group_of<'a>(config: &'a Config, node: &NodeUuid) -> Option<&'a NodeGroup> {
    config.node(node).and_then(|node| config.group(&node.group)).map(|group| &**group)
}

/// The name of a node; its UUID when the configuration does not have it.
#[must_use]
pub fn node_name(config: &Config, node: &NodeUuid) -> String {
    config.node(node).map_or_else(|| node.to_string(), |node: &std::sync::Arc<Node>| node.name.to_string())
}

/// OS parameters that everybody may see: cluster by OS, by OS and variant, instance.
#[must_use]
pub fn os_params(config: &Config, os: &str, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    merged(&config.cluster().osparams, os, own)
}

/// OS parameters that are stored but not shown, inherited in the same way.
#[must_use]
pub fn os_params_private(config: &Config, os: &str, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    merged(&config.cluster().osparams_private_cluster, os, own)
}

fn merged(cluster: &BTreeMap<String, BTreeMap<String, String>>, os: &str, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let without_variant = os.split('+').next().unwrap_or(os);
    let layers = [cluster.get(without_variant), cluster.get(os), Some(own)];
    layers.into_iter().flatten().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The policy of a node's group, filled.
#[must_use]
pub fn ipolicy(config: &Config, group: &NodeGroup) -> Filled<IPolicy> {
    let read = |value: &serde_json::Value| serde_json::from_value::<PartialIPolicy>(value.clone()).unwrap_or_default();
    fill::ipolicy(&read(&config.cluster().ipolicy), &read(&group.ipolicy))
}

/// What a policy looks at in an instance with these disks.
#[must_use]
pub fn policy_spec(config: &Config, instance: &Instance, disks: &[Disk]) -> InstanceSpec {
    let be = be(config, instance);
    InstanceSpec {
        memory_mib: Some(be.maxmem().0),
        vcpus: Some(be.vcpus()),
        nic_count: Some(instance.nics.len() as u64),
        spindle_use: Some(be.spindle_use()),
        disks: disks.iter().filter_map(|disk| Some((disk.dev_type.parse::<DiskTemplate>().ok()?, disk.size.0))).collect(),
    }
}

/// The disks of an instance that is in the configuration, as a node gets them.
#[must_use]
pub fn disk_refs(config: &Config, instance: &Instance) -> Vec<DiskRef> {
    refs(config.disks_of(instance).map(|disk| &**disk))
}

fn refs<'a>(disks: impl Iterator<Item = &'a Disk>) -> Vec<DiskRef> {
    disks.zip(0..).map(|(disk, index)| DiskRef::from_disk(disk, index)).collect()
}

/// How a node is told which instance is meant.
#[must_use]
pub fn instance_ref(instance: &Instance) -> InstanceRef {
    InstanceRef { name: instance.name.to_string(), uuid: instance.uuid.to_string(), hypervisor: instance.hypervisor.clone() }
}

/// The whole instance, as a node gets it. Its disks are those of the configuration.
#[must_use]
pub fn instance(config: &Config, instance: &Instance) -> proto::Instance {
    let disks: Vec<&Disk> = config.disks_of(instance).map(|disk| &**disk).collect();
    instance_with(config, instance, &disks)
}

/// The same with disks that need not be in the configuration yet.
#[must_use]
pub fn instance_with(config: &Config, instance: &Instance, disks: &[&Disk]) -> proto::Instance {
    let be = be(config, instance);
    let group = group_of(config, &instance.primary_node);
    let mut secondaries: Vec<String> = Vec::new();
    for node in disks.iter().flat_map(|disk| &disk.nodes).filter(|node| **node != instance.primary_node) {
        let name = node_name(config, node);
        if !secondaries.contains(&name) {
            secondaries.push(name);
        }
    }
    proto::Instance {
        name: instance.name.to_string(),
        uuid: instance.uuid.to_string(),
        hypervisor: instance.hypervisor.clone(),
        hvparams: params_to_proto(&hv(config, instance).0),
        min_memory_mib: be.minmem().0,
        max_memory_mib: be.maxmem().0,
        vcpus: u32::try_from(be.vcpus()).unwrap_or(u32::MAX),
        nics: instance.nics.iter().map(|nic| proto_nic(config, group, nic)).collect(),
        disks: refs(disks.iter().copied()),
        os: instance.os.clone(),
        osparams: hash(os_params(config, &instance.os, &instance.osparams)),
        osparams_private: hash(os_params_private(config, &instance.os, &instance.osparams_private)),
        osparams_secret: HashMap::new(),
        network_port: u32::from(instance.network_port.unwrap_or(0)),
        tags: instance.tags.iter().map(ToString::to_string).collect(),
        primary_node: node_name(config, &instance.primary_node),
        secondary_nodes: secondaries,
        ctime: instance.stamps.ctime,
        mtime: instance.stamps.mtime,
        beparams: params_to_proto(&be.0),
        auto_failover: gannet_core::auto_failover::is_on_with(config, instance, template_of(disks)),
    }
}

/// As [`Config::disk_template`], of disks that need not be in the configuration.
fn template_of<'a>(disks: &[&'a Disk]) -> &'a str {
    match disks.first() {
        None => "diskless",
        Some(first) if disks.iter().all(|disk| disk.dev_type == first.dev_type) => &first.dev_type,
        Some(_) => "mixed",
    }
}

fn hash(map: BTreeMap<String, String>) -> HashMap<String, String> {
    map.into_iter().collect()
}

/// A NIC as a node gets it.
#[must_use]
pub fn proto_nic(config: &Config, group: Option<&NodeGroup>, own: &Nic) -> proto::Nic {
    let params = nic(config, group, own);
    let network = own.network.as_ref().and_then(|uuid| config.network(uuid)).map(|network| proto::Network {
        name: network.name.clone(),
        uuid: network.uuid.to_string(),
        subnet: network.network.clone(),
        gateway: network.gateway.clone().unwrap_or_default(),
        subnet6: network.network6.clone().unwrap_or_default(),
        gateway6: network.gateway6.clone().unwrap_or_default(),
        mac_prefix: network.mac_prefix.clone().unwrap_or_default(),
        tags: network.tags.iter().map(ToString::to_string).collect(),
    });
    proto::Nic {
        uuid: own.uuid.to_string(),
        name: own.name.clone().unwrap_or_default(),
        mac: own.mac.clone(),
        ip: own.ip.clone().unwrap_or_default(),
        mode: params.mode().map(|mode| mode.as_str().to_owned()).unwrap_or_default(),
        link: params.link().to_owned(),
        vlan: params.vlan().to_owned(),
        network,
    }
}

/// The parameters `own` with those of `extra` over them: for one start with other parameters.
#[must_use]
pub fn overlaid(own: &ParamMap, extra: &ParamMap) -> ParamMap {
    fill::overlay([own, extra])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn os_parameters_come_from_os_variant_and_instance() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>();
        let cluster = BTreeMap::from([
            ("debian".to_owned(), map(&[("a", "1"), ("b", "1"), ("c", "1")])),
            ("debian+mini".to_owned(), map(&[("b", "2"), ("c", "2")])),
        ]);
        assert_eq!(merged(&cluster, "debian+mini", &map(&[("c", "3")])), map(&[("a", "1"), ("b", "2"), ("c", "3")]));
        assert_eq!(merged(&cluster, "other", &map(&[])), map(&[]));
    }

    #[test]
    fn the_message_holds_what_is_inherited() {
        let config = sample::config();
        let instance = config.find_instance("web1").unwrap();
        let message = super::instance(&config, instance);
        assert_eq!((message.max_memory_mib, message.vcpus, message.primary_node.as_str()), (256, 1, "node1.example.com"));
        assert_eq!(message.disks.len(), 1);
        assert_eq!(message.nics[0].mode, "bridged");
        assert_eq!(message.nics[0].link, "br0");
    }
}
