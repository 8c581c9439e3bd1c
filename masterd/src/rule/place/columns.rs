//! The cluster as the placement library wants it, from the configuration and from what the nodes say now.

use std::collections::HashMap;

use gannet_core::config::{AdminState, AllocPolicy as Stored, Config, Instance, Node, NodeGroup};
use gannet_core::id::{GroupUuid, NodeUuid};
use gannet_core::param::ipolicy::{self, IPolicy};
use gannet_core::param::{AllocPolicy, DiskTemplate, fill};
use gannet_htools::instance::{Disk, Status};
use gannet_htools::load::{Wishes, derive, finish, merge};
use gannet_htools::policy::{MinMax, Policy, Spec};
use gannet_htools::state::N1Rule;
use gannet_htools::{self as htools, GroupId, NodeId};
use gannet_proto::node::{InstanceListReply, NodeInfoReply};

use crate::refusal::Refusal;
use crate::rule::{node_check, spec};

/// What a node said.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What it has. Without storage, which was not asked for then, disk space is no limit.
    pub info: NodeInfoReply,
    /// Its guests.
    pub instances: InstanceListReply,
}

/// The columns, and what their positions are called in the configuration.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) cluster: htools::Cluster,
    pub(super) state: htools::State,
    pub(super) nodes: Vec<NodeUuid>,
    pub(super) groups: Vec<GroupUuid>,
    /// Disks are asked about that are files of their node.
    files: bool,
}

impl Columns {
    /// `template`: whose storage the nodes told the free space of. `without`: an instance that is to be placed anew.
    ///
    /// Nodes and groups are in the order of their names, so that ties do not depend on random identifiers.
    pub(super) fn new(
        config: &Config,
        facts: &HashMap<NodeUuid, Facts>,
        template: DiskTemplate,
        without: Option<&Instance>,
    ) -> Result<Self, Refusal> {
        let files = template == DiskTemplate::File;
        let mut groups: Vec<_> = config.groups().cloned().collect();
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        let group_at: HashMap<&GroupUuid, GroupId> = groups.iter().enumerate().map(|(at, group)| (&group.uuid, GroupId::new(at))).collect();
        let mut nodes: Vec<_> = config.nodes().cloned().collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let node_at: HashMap<&NodeUuid, NodeId> = nodes.iter().enumerate().map(|(at, node)| (&node.uuid, NodeId::new(at))).collect();
        let mut cluster = htools::Cluster {
            tags: config.cluster().tags.iter().map(ToString::to_string).collect(),
            groups: groups.iter().map(|group| self::group(config, group, files)).collect(),
            ..htools::Cluster::default()
        };
        for node in &nodes {
            let Some(group) = group_at.get(&node.group) else {
                return Err(Refusal::environment(format!(
                    "Node {} is in a group that does not exist; run `gnt-cluster verify`",
                    node.name
                )));
            };
            cluster.nodes.push(self::node(config, node, *group, facts.get(&node.uuid)));
        }
        let mut instances: Vec<_> = config.instances().filter(|instance| without.is_none_or(|other| other.uuid != instance.uuid)).collect();
        instances.sort_by(|a, b| a.name.cmp(&b.name));
        for instance in instances {
            // What is on no node yet takes nothing.
            let Some(primary) = node_at.get(&instance.primary_node) else { continue };
            let secondary = config.secondary_nodes(instance).next().and_then(|node| node_at.get(node).copied());
            let template = config.disk_template(instance).parse().unwrap_or(DiskTemplate::Plain);
            let sizes = config.disks_of(instance).map(|disk| disk.size.0);
            let placed = self::instance(config, instance, kept(template, files), sizes, status(instance.admin_state));
            cluster.instances.push(htools::Instance { primary: *primary, secondary, ..placed });
        }
        // No instance is named in these wishes, so nothing can be unknown.
        let cluster = merge(cluster, &Wishes::default()).map_err(|error| Refusal::environment(error.to_string()))?;
        let htools::load::Loaded { cluster, state, .. } = finish(cluster, 0, N1Rule::Unallocated);
        let nodes = nodes.iter().map(|node| node.uuid.clone()).collect();
        Ok(Self { cluster, state, nodes, groups: groups.iter().map(|group| group.uuid.clone()).collect(), files })
    }

    /// A new instance with what its tags mean here.
    pub(super) fn newcomer(
        &mut self,
        config: &Config,
        instance: &Instance,
        template: DiskTemplate,
        disks_mib: &[u64],
        start: bool,
    ) -> htools::Instance {
        let status = if start { Status::Running } else { Status::Down };
        let mut new = self::instance(config, instance, kept(template, self.files), disks_mib.iter().copied(), status);
        derive::set_instance_tags(&mut self.cluster, &[], std::slice::from_mut(&mut new));
        new
    }
}

/// The library takes the room of local disks from the node for volumes (`plain`, `drbd`) and not for files. Where the space of
/// the file storage is what the nodes told, files take it, and volumes do not.
fn kept(template: DiskTemplate, files: bool) -> DiskTemplate {
    match template {
        DiskTemplate::File if files => DiskTemplate::Plain,
        DiskTemplate::Plain if files => DiskTemplate::File,
        other => other,
    }
}

fn status(state: AdminState) -> Status {
    match state {
        AdminState::Up => Status::Running,
        AdminState::Down => Status::Down,
        AdminState::Offline => Status::Offline,
    }
}

fn group(config: &Config, group: &NodeGroup, files: bool) -> htools::Group {
    htools::Group {
        name: group.name.clone(),
        uuid: group.uuid.to_string(),
        alloc_policy: match group.alloc_policy {
            Stored::Preferred => AllocPolicy::Preferred,
            Stored::LastResort => AllocPolicy::LastResort,
            Stored::Unallocable => AllocPolicy::Unallocable,
        },
        networks: group.networks.keys().map(ToString::to_string).collect(),
        policy: policy(spec::ipolicy(config, group).into_inner(), files),
        tags: group.tags.iter().map(ToString::to_string).collect(),
    }
}

fn policy(policy: IPolicy, files: bool) -> Policy {
    let spec = |spec: ipolicy::Spec| Spec {
        memory: count(spec.memory_size),
        cpus: count(spec.cpu_count),
        disk: count(spec.disk_size),
        disks: count(spec.disk_count),
        nics: count(spec.nic_count),
        spindles: count(spec.spindle_use),
    };
    Policy {
        ranges: policy.minmax.into_iter().map(|range| MinMax { min: spec(range.min), max: spec(range.max) }).collect(),
        standard: spec(policy.std),
        templates: policy.disk_templates.into_iter().map(|template| kept(template, files)).collect(),
        vcpu_ratio: policy.vcpu_ratio,
        spindle_ratio: policy.spindle_ratio,
    }
}

/// A node; out of use when it did not answer. Memory of instances that are wanted up but do not have all of theirs (yet) is
/// taken off the free memory, as Ganeti does for its allocators.
fn node(config: &Config, node: &Node, group: GroupId, facts: Option<&Facts>) -> htools::Node {
    let own_group = config.group(&node.group);
    let nd = fill::nd(&config.cluster().ndparams, own_group.map_or(&node.ndparams, |group| &group.ndparams), &node.ndparams);
    let info = facts.map(|facts| facts.info.clone()).unwrap_or_default();
    let space = node_check::known_space(&info).map(|space| (space.total_mib, space.free_mib));
    let (total_disk, free_disk) = space.unwrap_or(if info.storage.is_empty() { (u64::MAX, u64::MAX) } else { (0, 0) });
    htools::Node {
        total_memory: real(info.memory_total_mib),
        node_memory: count(kept_for_node(node, "mem_node")),
        free_memory: count(info.memory_free_mib.saturating_sub(facts.map_or(0, |facts| promised(config, node, facts)))),
        total_disk: real(total_disk),
        free_disk: count(free_disk),
        cpus: f64::from(info.cpu_total),
        cpu_speed: nd.0.get("cpu_speed").and_then(serde_json::Value::as_f64).filter(|speed| *speed > 0.0).unwrap_or(1.0),
        // Nodes report all processors as their own, since they share them with the guests; that keeps none from these.
        node_cpus: count(kept_for_node(node, "cpu_node")),
        spindles: count(nd.spindle_count()),
        free_spindles: count(nd.spindle_count()),
        offline: facts.is_none() || node_check::usable(node).is_err(),
        tags: node.tags.iter().map(ToString::to_string).collect(),
        ..htools::Node::new(node.name.as_str(), group)
    }
}

/// Memory that instances which are wanted up do not use yet: they stand still, or have been ballooned down.
fn promised(config: &Config, node: &Node, facts: &Facts) -> u64 {
    let used: HashMap<&str, u64> = facts.instances.instances.iter().map(|info| (info.name.as_str(), info.memory_mib)).collect();
    let wanted_up = config.primary_instances(&node.uuid).filter(|instance| instance.admin_state == AdminState::Up);
    wanted_up
        .map(|instance| spec::be(config, instance).maxmem().0.saturating_sub(used.get(instance.name.as_str()).copied().unwrap_or(0)))
        .sum()
}

/// What the operator keeps for the node's own system (hypervisor state, `mem_node` and `cpu_node`); 0 when nothing is set: then
/// only what the node says is free counts.
fn kept_for_node(node: &Node, what: &str) -> u64 {
    node.hv_state_static.values().filter_map(|state| state.get(what).and_then(serde_json::Value::as_u64)).max().unwrap_or(0)
}

fn instance(
    config: &Config,
    instance: &Instance,
    template: DiskTemplate,
    disks_mib: impl Iterator<Item = u64>,
    status: Status,
) -> htools::Instance {
    let be = spec::be(config, instance);
    let disks: Vec<Disk> = disks_mib.map(|size| Disk { size: count(size), spindles: None }).collect();
    htools::Instance {
        memory: count(be.maxmem().0),
        vcpus: count(be.vcpus()),
        status,
        auto_balance: be.auto_balance(),
        spindle_use: count(be.spindle_use()),
        tags: instance.tags.iter().map(ToString::to_string).collect(),
        nics: instance.nics.iter().map(|nic| nic.network.as_ref().map(ToString::to_string)).collect(),
        ..htools::Instance::new(instance.name.as_str(), template, disks)
    }
}

/// Quantities are far below what either type holds; what is not is bounded, not wrapped.
fn count(quantity: u64) -> i64 {
    i64::try_from(quantity).unwrap_or(i64::MAX).min(gannet_htools::load::number::LARGEST)
}

#[expect(clippy::cast_precision_loss, reason = "`count` bounds quantities far below 2^53")]
fn real(quantity: u64) -> f64 {
    count(quantity) as f64
}
