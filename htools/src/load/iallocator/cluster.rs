//! From the objects of the interface to a cluster.

use std::collections::HashMap;

use super::ordered::{Count, Whole};
use super::wire::{self, Text};
use crate::cluster::Cluster;
use crate::group::Group;
use crate::id::{GroupId, NodeId};
use crate::instance::{Disk, Instance, Status};
use crate::node::Node;
use crate::policy::{MinMax, Policy, Spec};
use crate::state::real;

/// Makes the cluster.
pub(super) fn read(wire: &wire::Input<'_>) -> Result<Cluster, String> {
    let mut cluster = Cluster { tags: wire.cluster_tags.clone(), ..Cluster::default() };
    let mut group_of = HashMap::new();
    for (uuid, group) in &wire.nodegroups.0 {
        if group_of.insert(uuid.as_str(), GroupId::new(cluster.groups.len())).is_some() {
            return Err(format!("group '{uuid}' is there twice"));
        }
        cluster.groups.push(self::group(uuid, group));
    }
    let is_kvm = wire.enabled_hypervisors.first().is_some_and(|name| name == "kvm");
    let mut node_of = HashMap::new();
    for (name, node) in &wire.nodes.0 {
        let group = *group_of.get(&*node.group.0).ok_or_else(|| format!("Unknown group '{}' for node {name}", node.group.0))?;
        if node_of.insert(name.as_str(), NodeId::new(cluster.nodes.len())).is_some() {
            return Err(format!("node '{name}' is there twice"));
        }
        cluster.nodes.push(Node { is_kvm, ..self::node(name, node, group)? });
    }
    let mut seen = std::collections::HashSet::new();
    for (name, instance) in &wire.instances.0 {
        if !seen.insert(name.as_str()) {
            return Err(format!("instance '{name}' is there twice"));
        }
        let find =
            |Text(node): &Text<'_>| node_of.get(&**node).copied().ok_or_else(|| format!("Unknown node '{node}' for instance {name}"));
        let primary = find(instance.nodes.first().ok_or_else(|| format!("empty node list for instance {name}"))?)?;
        let secondary = instance.nodes.get(1).map(find).transpose()?;
        if secondary == Some(primary) {
            return Err(format!("instance {name} has the same primary and secondary node"));
        }
        cluster.instances.push(Instance { primary, secondary, ..self::instance(name, instance) });
    }
    Ok(cluster)
}

fn group(uuid: &str, wire: &wire::Group) -> Group {
    let policy = &wire.ipolicy;
    let range = |range: &wire::MinMax| MinMax { min: spec(range.min), max: spec(range.max) };
    Group {
        name: wire.name.clone(),
        uuid: uuid.to_owned(),
        alloc_policy: wire.alloc_policy,
        networks: wire.networks.clone(),
        policy: Policy {
            ranges: policy.minmax.iter().map(range).collect(),
            standard: spec(policy.std),
            templates: policy.disk_templates.iter().map(|template| template.0).collect(),
            vcpu_ratio: policy.vcpu_ratio,
            spindle_ratio: policy.spindle_ratio,
        },
        tags: wire.tags.clone(),
    }
}

fn spec(wire: wire::Spec) -> Spec {
    Spec {
        memory: wire.memory_size.0,
        cpus: wire.cpu_count.0,
        disk: wire.disk_size.0,
        disks: wire.disk_count.0,
        nics: wire.nic_count.0,
        spindles: wire.spindle_use.0,
    }
}

/// A node that is offline or cannot host instances has nothing; a drained one has what it has, and is not used.
fn node(name: &str, wire: &wire::Node<'_>, group: GroupId) -> Result<Node, String> {
    let live = !wire.offline && wire.vm_capable.unwrap_or(true);
    let missing = |key: &str| format!("invalid data for node '{name}': key '{key}' is missing");
    let count = |value: Option<Count>, key: &str| match value {
        _ if !live => Ok(0),
        Some(Count(value)) => Ok(value),
        None => Err(missing(key)),
    };
    let whole = |value: Option<Whole>, key: &str| count(value.map(|Whole(value)| Count(value)), key);
    let exclusive_storage = wire.ndparams.exclusive_storage;
    Ok(Node {
        total_memory: real(count(wire.total_memory, "total_memory")?),
        node_memory: count(wire.reserved_memory, "reserved_memory")?,
        free_memory: whole(wire.free_memory, "free_memory")?,
        total_disk: real(count(wire.total_disk, "total_disk")?),
        free_disk: whole(wire.free_disk, "free_disk")?,
        cpus: real(count(wire.total_cpus, "total_cpus")?),
        node_cpus: count(wire.reserved_cpus, "reserved_cpus")?,
        spindles: if exclusive_storage {
            count(wire.total_spindles, "total_spindles")?
        } else {
            wire.ndparams.spindle_count.ok_or_else(|| missing("spindle_count"))?.0
        },
        free_spindles: whole(wire.free_spindles, "free_spindles")?,
        exclusive_storage,
        offline: !live || wire.drained,
        tags: wire.tags.clone(),
        ..Node::new(name, group)
    })
}

/// An instance, not on its nodes yet.
pub(super) fn instance(name: &str, wire: &wire::Instance<'_>) -> Instance {
    let disk = |disk: &wire::Disk| Disk { size: disk.size.0, spindles: disk.spindles.map(|Count(count)| count) };
    Instance {
        memory: wire.memory.0,
        disk: wire.disk_space_total.0,
        vcpus: wire.vcpus.0,
        status: match wire.admin_state.as_ref().map(|Text(state)| &**state) {
            Some("offline") => Status::Offline,
            Some("down") => Status::Down,
            _ => Status::Running,
        },
        spindle_use: wire.spindle_use.0,
        tags: wire.tags.clone(),
        nics: wire.nics.iter().map(|nic| nic.network.clone()).collect(),
        forthcoming: wire.forthcoming.unwrap_or(false),
        ..Instance::new(name, wire.disk_template.0, wire.disks.iter().map(disk).collect())
    }
}
