//! Where instances go: the placement library fed with the configuration and with what the nodes say now.

use std::collections::{BTreeMap, HashMap};

use futures::future::join_all;
use gannet_core::config::{AdminState, Config, Instance, Node};
use gannet_core::id::{GroupUuid, NodeUuid};
use gannet_core::param::{AllocPolicy, DiskTemplate, fill};
use gannet_htools::legacy::alloc::Choice;
use gannet_htools::legacy::{self as htools, NoPlace};
use gannet_proto::node::{InstanceListReply, InstanceListRequest, NodeInfoReply, NodeInfoRequest};

use super::{node_check, spec};
use crate::held::Held;
use crate::node::NodeError;
use crate::refusal::Refusal;

/// The allocator that is built in.
pub const BUILT_IN: &str = "hail";
/// Stands for the cluster's default allocator (Ganeti: DEFAULT_IALLOCATOR_SHORTCUT).
pub const DEFAULT_SHORTCUT: &str = ".";

/// Which allocator chooses; `None` when nodes are given. Ganeti: CheckIAllocatorOrNode.
///
/// # Errors
/// Both or none of the two, or an allocator that is not built in.
pub fn chosen_iallocator(config: &Config, iallocator: Option<&str>, node: Option<&str>) -> Result<Option<String>, Refusal> {
    let name = match (iallocator, node) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("Do not specify both, iallocator and node")),
        (None, Some(_)) => return Ok(None),
        (Some(name), None) if name != DEFAULT_SHORTCUT => name.to_owned(),
        (_, None) => config.cluster().default_iallocator.clone(),
    };
    if name.is_empty() {
        return Err(Refusal::invalid(
            "No iallocator or node given and no cluster-wide default iallocator found; please specify either an iallocator or a \
             node, or set a cluster-wide default iallocator",
        ));
    }
    if name != BUILT_IN {
        return Err(Refusal::invalid(format!(
            "Iallocator '{name}' is not available: external allocators are not in this version of Gannet yet; use {BUILT_IN}, which is built in"
        )));
    }
    Ok(Some(name))
}

/// What a node said.
#[derive(Debug, Clone)]
struct Facts {
    info: NodeInfoReply,
    instances: InstanceListReply,
}

/// The cluster as it is now, ready to place instances in. Placements can be fed back, so that several are found at once.
pub struct Placer {
    cluster: htools::Cluster,
    nodes: Vec<NodeUuid>,
    groups: Vec<GroupUuid>,
}

/// A new instance that wants a place.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The instance as it will be; its primary node does not count.
    pub instance: &'a Instance,
    /// How its disks are kept.
    pub template: DiskTemplate,
    /// Their sizes, in MiB.
    pub disks_mib: Vec<u64>,
    /// Whether it is started.
    pub start: bool,
    /// Only this group.
    pub group: Option<&'a GroupUuid>,
    /// Only these nodes; `None`: all.
    pub nodes: Option<Vec<NodeUuid>>,
    /// Do not look at the policy.
    pub ignore_policy: bool,
}

impl Placer {
    /// Asks all usable nodes at the same time. Those that do not answer get nothing, and the job's log says so. Free disk
    /// space is that of the storage of `template`.
    ///
    /// # Errors
    /// Only when the configuration contradicts itself.
    pub async fn new(held: &Held<'_>, template: DiskTemplate) -> Result<Self, Refusal> {
        let config = held.config();
        let asked = config
            .nodes()
            .filter(|node| node_check::usable(node).is_ok())
            .map(|node| async move { (node.uuid.clone(), ask(held, node, template).await) });
        let mut facts = HashMap::new();
        for (uuid, answer) in join_all(asked).await {
            match answer {
                Ok(found) => {
                    facts.insert(uuid, found);
                }
                Err(error) => held.log().warn(format!("Node left out of the placement: {error}")),
            }
        }
        Self::from_facts(config, &facts)
    }

    fn from_facts(config: &Config, facts: &HashMap<NodeUuid, Facts>) -> Result<Self, Refusal> {
        let groups: Vec<GroupUuid> = config.groups().map(|group| group.uuid.clone()).collect();
        let group_index = |uuid: &GroupUuid| groups.iter().position(|other| other == uuid).unwrap_or(usize::MAX);
        // By name, so that whatever depends on the order does not depend on random identifiers.
        let mut sorted: Vec<&std::sync::Arc<Node>> = config.nodes().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let nodes: Vec<NodeUuid> = sorted.iter().map(|node| node.uuid.clone()).collect();
        let index: BTreeMap<&NodeUuid, usize> = nodes.iter().enumerate().map(|(index, uuid)| (uuid, index)).collect();
        let instances = config.instances().filter_map(|instance| {
            let primary = *index.get(&instance.primary_node)?;
            let secondary = config.secondary_nodes(instance).next().and_then(|node| index.get(node).copied());
            let template = config.disk_template(instance).parse().unwrap_or(DiskTemplate::Plain);
            let sizes = config.disks_of(instance).map(|disk| disk.size.0).collect();
            let up = instance.admin_state == AdminState::Up;
            Some(htools::Instance { primary, secondary, ..placed(config, instance, template, sizes, up) })
        });
        let data = htools::Cluster::new(
            config.groups().map(|group| htools_group(config, group)).collect(),
            sorted.iter().map(|node| htools_node(config, node, group_index(&node.group), facts.get(&node.uuid))).collect(),
            instances.collect(),
            config.cluster().tags.iter().map(gannet_core::tag::Tag::as_str),
        );
        match data {
            Ok(cluster) => Ok(Self { cluster, nodes, groups }),
            Err(error) => Err(Refusal::environment(format!("The configuration cannot be used for placement: {error}"))),
        }
    }

    /// Finds nodes for a new instance: its primary, and its secondary if the template has one.
    ///
    /// # Errors
    /// What stands in the way on each node.
    pub fn allocate(&self, config: &Config, wanted: &Wanted<'_>) -> Result<Vec<NodeUuid>, NoPlace> {
        let instance = placed(config, wanted.instance, wanted.template, wanted.disks_mib.clone(), wanted.start);
        let choice = Choice {
            group: wanted.group.and_then(|uuid| self.groups.iter().position(|group| group == uuid)),
            nodes: wanted.nodes.as_ref().map(|nodes| nodes.iter().filter_map(|node| self.index(node)).collect()),
            ignore_policy: wanted.ignore_policy,
        };
        let placement = htools::allocate(&self.cluster, &instance, &choice)?;
        Ok([Some(placement.primary), placement.secondary].into_iter().flatten().map(|node| self.nodes[node].clone()).collect())
    }

    /// Counts a new instance on `nodes`, so that the next one is placed beside it.
    pub fn place(&mut self, config: &Config, wanted: &Wanted<'_>, nodes: &[NodeUuid]) {
        let mut found = nodes.iter().filter_map(|node| self.index(node));
        let Some(primary) = found.next() else { return };
        let instance = placed(config, wanted.instance, wanted.template, wanted.disks_mib.clone(), wanted.start);
        let instance = htools::Instance { primary, secondary: found.next(), ..instance };
        // Its nodes were looked up just now.
        let placed = self.cluster.place(instance);
        debug_assert!(placed.is_ok(), "{placed:?}");
    }

    /// Finds another node for an instance on shared storage, in its group, and counts it there from then on. `avoid`: nodes
    /// that are being emptied.
    ///
    /// # Errors
    /// What stands in the way on each node.
    pub fn relocate(&mut self, instance: &Instance, avoid: &[NodeUuid]) -> Result<NodeUuid, NoPlace> {
        let Some(index) = self.cluster.find_instance(instance.name.as_str()) else { return Err(NoPlace::default()) };
        let avoid: Vec<usize> = avoid.iter().filter_map(|node| self.index(node)).collect();
        let placement = htools::relocate(&self.cluster, index, &avoid)?;
        let moved = self.cluster.move_primary(index, placement.primary);
        debug_assert!(moved.is_ok(), "{moved:?}");
        Ok(self.nodes[placement.primary].clone())
    }

    fn index(&self, node: &NodeUuid) -> Option<usize> {
        self.nodes.iter().position(|other| other == node)
    }
}

async fn ask(held: &Held<'_>, node: &Node, template: DiskTemplate) -> Result<Facts, NodeError> {
    let reads = held.context().master.nodes().reads(node)?;
    let hypervisors = held.config().cluster().enabled_hypervisors.clone();
    let request = NodeInfoRequest { hypervisors: hypervisors.clone(), storage: node_check::storage_units(held.config(), template) };
    let (info, instances) = tokio::join!(reads.node_info(request), reads.instance_list(InstanceListRequest { hypervisors }));
    Ok(Facts { info: info?, instances: instances? })
}

fn htools_group(config: &Config, group: &gannet_core::config::NodeGroup) -> htools::Group {
    use gannet_core::config::AllocPolicy as Stored;
    let alloc_policy = match group.alloc_policy {
        Stored::Preferred => AllocPolicy::Preferred,
        Stored::LastResort => AllocPolicy::LastResort,
        Stored::Unallocable => AllocPolicy::Unallocable,
    };
    htools::Group { name: group.name.clone(), alloc_policy, policy: spec::ipolicy(config, group).into_inner() }
}

/// A node; unusable when it did not answer. Memory of instances that are wanted up but do not have all of theirs (yet) is
/// taken off the free memory, as Ganeti does for its allocators.
fn htools_node(config: &Config, node: &Node, group: usize, facts: Option<&Facts>) -> htools::Node {
    let own_group = config.group(&node.group);
    let nd = fill::nd(&config.cluster().ndparams, own_group.map_or(&node.ndparams, |group| &group.ndparams), &node.ndparams);
    let info = facts.map(|facts| facts.info.clone()).unwrap_or_default();
    let space = node_check::known_space(&info);
    htools::Node {
        name: node.name.to_string(),
        group,
        usable: facts.is_some() && node_check::usable(node).is_ok(),
        total_memory_mib: info.memory_total_mib,
        node_memory_mib: kept_for_node(node, "mem_node"),
        free_memory_mib: info.memory_free_mib.saturating_sub(facts.map_or(0, |facts| promised(config, node, facts))),
        total_disk_mib: space.map_or(0, |space| space.total_mib),
        free_disk_mib: space.map_or(0, |space| space.free_mib),
        cpus: u64::from(info.cpu_total),
        // Nodes report all processors as their own, since they share them with the guests; that keeps none from these.
        node_cpus: kept_for_node(node, "cpu_node"),
        spindles: nd.spindle_count(),
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

fn placed(config: &Config, instance: &Instance, template: DiskTemplate, disks_mib: Vec<u64>, up: bool) -> htools::Instance {
    let be = spec::be(config, instance);
    htools::Instance {
        name: instance.name.to_string(),
        memory_mib: be.maxmem().0,
        uses_memory: up,
        disks_mib,
        template,
        vcpus: be.vcpus(),
        spindle_use: be.spindle_use(),
        nic_count: instance.nics.len() as u64,
        auto_balance: be.auto_balance(),
        tags: instance.tags.iter().map(ToString::to_string).collect(),
        primary: 0,
        secondary: None,
    }
}

/// Another node for one instance on shared storage, chosen by `iallocator` or the cluster's default one.
///
/// # Errors
/// No such allocator; or `insufficient_resources` with what stands in the way on each node, in Ganeti's words.
pub async fn relocate(held: &Held<'_>, instance: &Instance, iallocator: Option<&str>) -> Result<NodeUuid, Refusal> {
    let iallocator = chosen_iallocator(held.config(), iallocator, None)?.unwrap_or_default();
    let template = held.config().disk_template(instance).parse().unwrap_or(DiskTemplate::SharedFile);
    let mut placer = Placer::new(held, template).await?;
    let target = placer.relocate(instance, &[]).map_err(|why| no_place(&iallocator, &why))?;
    let name = spec::node_name(held.config(), &target);
    held.log().note(format!("Selected nodes for instance {} via iallocator {iallocator}: {name}", instance.name));
    Ok(target)
}

/// Ganeti's words for a placement that was not found.
#[must_use]
pub fn no_place(iallocator: &str, why: &NoPlace) -> Refusal {
    Refusal::no_resources(format!("Can't compute nodes using iallocator '{iallocator}': {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    fn facts(free: u64, guests: &[(&str, u64)]) -> Facts {
        let info = NodeInfoReply { memory_total_mib: 4096, memory_free_mib: free, cpu_total: 4, ..NodeInfoReply::default() };
        let instances = guests.iter().map(|(name, memory)| gannet_proto::node::InstanceInfo {
            name: (*name).to_owned(),
            memory_mib: *memory,
            ..gannet_proto::node::InstanceInfo::default()
        });
        Facts { info, instances: InstanceListReply { instances: instances.collect(), ..InstanceListReply::default() } }
    }

    fn allocate(facts: &HashMap<NodeUuid, Facts>, change: impl FnOnce(&mut Wanted<'_>)) -> Result<Vec<NodeUuid>, NoPlace> {
        let config = sample::config();
        let instance = sample::instance(2, 1);
        let mut wanted = Wanted {
            instance: &instance,
            template: DiskTemplate::SharedFile,
            disks_mib: vec![1024],
            start: true,
            group: None,
            nodes: None,
            ignore_policy: false,
        };
        change(&mut wanted);
        Placer::from_facts(&config, facts).unwrap().allocate(&config, &wanted)
    }

    fn node(n: u32) -> NodeUuid {
        sample::uuid(1, n).into()
    }

    #[test]
    fn nodes_that_do_not_answer_are_left_out() {
        let all =
            HashMap::from([(node(1), facts(3000, &[("web1.example.com", 256)])), (node(2), facts(4000, &[])), (node(3), facts(4000, &[]))]);
        assert_eq!(allocate(&all, |_| {}).unwrap(), [node(2)]);
        assert_eq!(allocate(&all, |wanted| wanted.nodes = Some(vec![node(3)])).unwrap(), [node(3)]);
        let only_first = HashMap::from([(node(1), facts(3000, &[]))]);
        assert_eq!(allocate(&only_first, |_| {}).unwrap(), [node(1)]);
        assert!(allocate(&HashMap::new(), |_| {}).is_err());
    }

    #[test]
    fn memory_of_a_guest_that_stands_still_is_kept() {
        let running = HashMap::from([(node(1), facts(400, &[("web1.example.com", 256)]))]);
        assert!(allocate(&running, |_| {}).is_ok());
        let stopped = HashMap::from([(node(1), facts(400, &[]))]);
        assert!(allocate(&stopped, |_| {}).unwrap_err().to_string().contains("not enough memory: needed 256 MiB, 144 MiB"));
    }

    #[test]
    fn the_allocator_is_the_one_that_was_asked_for() {
        let config = sample::config();
        let chosen = |iallocator, node| chosen_iallocator(&config, iallocator, node).map_err(|refusal| refusal.message);
        assert_eq!(chosen(None, Some("node1")), Ok(None));
        assert_eq!(chosen(None, None), Ok(Some("hail".to_owned())));
        assert_eq!(chosen(Some("."), None), Ok(Some("hail".to_owned())));
        assert!(chosen(Some("mine"), None).unwrap_err().contains("not available"));
        assert_eq!(chosen(Some("hail"), Some("node1")).unwrap_err(), "Do not specify both, iallocator and node");
    }
}
