//! The state that a loaded cluster is in.

use super::usage::{real, spindle_use_more, spindles_less};
use super::{State, Step, Usage};
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::instance::Instance;
use crate::node::Node;
use crate::tag;

/// How it is judged, at loading, whether a node could take over the instances of a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum N1Rule {
    /// By the memory that is not allocated, as after every later change (Ganeti 3.1).
    #[default]
    Unallocated,
    /// By the memory that was reported free (Ganeti 3.0), for comparisons with that version.
    Reported,
}

impl State {
    /// Where the instances of a loaded cluster are. The missing memory of its nodes must have been found before.
    #[must_use]
    pub fn new(cluster: &Cluster, rule: N1Rule) -> Self {
        let count = cluster.nodes.len();
        let mut state = Self {
            usage: cluster.nodes.iter().map(empty).collect(),
            primaries: vec![Vec::new(); count],
            secondaries: vec![Vec::new(); count],
            peers: vec![super::Peers::default(); count],
            exclusion: vec![super::Tally::default(); count],
            pairs: vec![super::Tally::default(); count],
            primary: cluster.instances.iter().map(|instance| instance.primary).collect(),
            secondary: cluster.instances.iter().map(|instance| instance.secondary).collect(),
            shared: cluster.instances.iter().map(|instance| shared(cluster, instance)).collect(),
        };
        for id in cluster.instance_ids() {
            let instance = cluster.instance(id);
            state.count_primary(cluster, id, instance);
            if let Some(node) = instance.secondary {
                state.count_secondary(cluster, id, instance, node);
            }
        }
        for (at, usage) in state.usage.iter_mut().enumerate() {
            let node = &cluster.nodes[at];
            usage.reserved_memory = state.peers[at].max();
            usage.load[0] = node.cpu_load.unwrap_or(usage.load[0]);
            usage.fails_n1 = match rule {
                N1Rule::Unallocated => usage.unallocated(node) <= usage.reserved_memory,
                N1Rule::Reported => node.free_memory < usage.reserved_memory,
            };
        }
        state
    }

    /// A primary that was there already: the node's free disk space and spindles, as reported, know it, unless it is forthcoming.
    fn count_primary(&mut self, cluster: &Cluster, id: InstanceId, instance: &Instance) {
        let node_id = instance.primary;
        let node = cluster.node(node_id);
        let effect = self.effect_of_adding(cluster, node_id, instance, self.shared[id.at()]);
        self.list(cluster, id, Step::AddPrimary(node_id));
        let usage = &mut self.usage[node_id.at()];
        let vcpus = if instance.is_online() { instance.vcpus } else { 0 };
        usage.tag_conflicts += effect.conflicts;
        usage.eventual_vcpus += vcpus;
        usage.eventual_memory -= if instance.uses_memory() { 0 } else { instance.memory };
        usage.eventual_spindle_use = spindle_use_more(usage.eventual_spindle_use, node, instance);
        if instance.forthcoming {
            count_eventual_disk(usage, node, instance);
            return;
        }
        usage.instance_memory += if instance.uses_memory() { instance.memory } else { 0 };
        usage.vcpus += vcpus;
        usage.spindle_use = spindle_use_more(usage.spindle_use, node, instance);
        usage.primaries += 1;
        usage.location += effect.location;
        for (own, load) in usage.load.iter_mut().zip(instance.load) {
            *own += load;
        }
    }

    fn count_secondary(&mut self, cluster: &Cluster, id: InstanceId, instance: &Instance, node_id: NodeId) {
        let node = cluster.node(node_id);
        self.list(cluster, id, Step::AddSecondary { node: node_id, primary: instance.primary });
        let usage = &mut self.usage[node_id.at()];
        usage.eventual_spindle_use = spindle_use_more(usage.eventual_spindle_use, node, instance);
        if instance.forthcoming {
            count_eventual_disk(usage, node, instance);
            return;
        }
        usage.spindle_use = spindle_use_more(usage.spindle_use, node, instance);
        usage.secondaries += 1;
        usage.load[2] += instance.load[2];
    }
}

fn count_eventual_disk(usage: &mut Usage, node: &Node, instance: &Instance) {
    usage.eventual_disk -= if instance.uses_local_disk() { instance.disk } else { 0 };
    usage.eventual_spindles = spindles_less(usage.eventual_spindles, node, instance);
}

fn empty(node: &Node) -> Usage {
    Usage {
        eventual_memory: node.free_memory,
        free_disk: node.free_disk,
        eventual_disk: node.free_disk,
        free_spindles: node.free_spindles,
        eventual_spindles: node.free_spindles,
        vcpus: node.node_cpus,
        eventual_vcpus: node.node_cpus,
        ..Usage::default()
    }
}

fn shared(cluster: &Cluster, instance: &Instance) -> i64 {
    let Some(secondary) = instance.secondary else { return 0 };
    tag::common(&cluster.node(instance.primary).location, &cluster.node(secondary).location)
}

/// Ratios of a node that the score and the node list show.
impl Usage {
    /// Part of the memory that is free.
    #[must_use]
    pub fn free_memory_ratio(&self, node: &Node) -> f64 {
        real(self.unallocated(node)) / node.total_memory
    }

    /// Part of the memory that will be free once all instances are there and up.
    #[must_use]
    pub fn eventual_memory_ratio(&self, node: &Node) -> f64 {
        real(self.eventual_memory) / node.total_memory
    }

    /// Part of the disk space (or of the spindles, with exclusive storage) that is free; 1 when there is none.
    #[must_use]
    pub fn free_disk_ratio(&self, node: &Node) -> f64 {
        disk_ratio(node, self.free_disk, self.free_spindles)
    }

    /// The same once forthcoming instances are there.
    #[must_use]
    pub fn eventual_disk_ratio(&self, node: &Node) -> f64 {
        disk_ratio(node, self.eventual_disk, self.eventual_spindles)
    }

    /// Part of the memory that is reserved.
    #[must_use]
    pub fn reserved_ratio(&self, node: &Node) -> f64 {
        real(self.reserved_memory) / node.total_memory
    }

    /// Virtual CPUs per CPU.
    #[must_use]
    pub fn vcpu_ratio(&self, node: &Node) -> f64 {
        real(self.vcpus) / node.cpus
    }

    /// The same with forthcoming instances.
    #[must_use]
    pub fn eventual_vcpu_ratio(&self, node: &Node) -> f64 {
        real(self.eventual_vcpus) / node.cpus
    }

    /// The policy limit that the node is over, if any: spindle use, then CPUs.
    ///
    /// # Errors
    /// That limit.
    pub fn policy_health(&self, node: &Node) -> Result<(), crate::FailMode> {
        if self.spindle_use > node.spindle_limit() {
            return Err(crate::FailMode::Disk);
        }
        if self.vcpu_ratio(node) > node.vcpu_ratio { Err(crate::FailMode::Cpu) } else { Ok(()) }
    }
}

fn disk_ratio(node: &Node, free_disk: i64, free_spindles: i64) -> f64 {
    let (free, total) = if node.exclusive_storage { (free_spindles, real(node.spindles)) } else { (free_disk, node.total_disk) };
    if total == 0.0 { 1.0 } else { real(free) / total }
}
