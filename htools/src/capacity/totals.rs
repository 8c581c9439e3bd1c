//! What all nodes together have, and what is taken of it.

use crate::cluster::Cluster;
use crate::node::truncated;
use crate::score::score;
use crate::state::{State, real};

/// Sums over all nodes, offline ones included. Memory and disk space in MiB.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    /// Memory that is not taken.
    pub free_memory: i64,
    /// Free disk space.
    pub free_disk: i64,
    /// Free spindles.
    pub free_spindles: i64,
    /// Memory that new instances can have.
    pub available_memory: i64,
    /// Disk space that new instances can have.
    pub available_disk: i64,
    /// The most memory that one node has for a new instance.
    pub largest_memory: i64,
    /// The most disk space that one node has for it.
    pub largest_disk: i64,
    /// Memory of instances.
    pub instance_memory: i64,
    /// Disk space that is taken.
    pub instance_disk: i64,
    /// Spindles that are taken.
    pub instance_spindles: i64,
    /// Virtual CPUs that are taken.
    pub instance_vcpus: i64,
    /// All memory.
    pub memory: f64,
    /// All disk space.
    pub disk: f64,
    /// All spindles.
    pub spindles: f64,
    /// Physical CPUs.
    pub cpus: f64,
    /// Virtual CPUs that the policies allow.
    pub vcpus: i64,
    /// Virtual CPUs that are taken, as physical ones.
    pub taken_cpus: f64,
    /// Memory that is missing.
    pub missing_memory: i64,
    /// Memory of the nodes' own systems.
    pub node_memory: i64,
    /// The score.
    pub score: f64,
    /// Primary instances, without forthcoming ones.
    pub instances: usize,
}

/// A part of a cluster's resources.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// Virtual CPUs.
    pub vcpus: i64,
    /// The same as physical ones.
    pub cpus: f64,
    /// In MiB.
    pub memory: i64,
    /// In MiB.
    pub disk: i64,
    /// Spindles.
    pub spindles: i64,
}

impl Totals {
    /// The sums of a cluster.
    #[must_use]
    pub fn new(cluster: &Cluster, state: &State) -> Self {
        let nodes: Vec<_> = cluster.node_ids().collect();
        let mut sums = Self { score: score(cluster, state, &nodes), ..Self::default() };
        for id in nodes {
            let (node, usage) = (cluster.node(id), state.usage(id));
            let (memory, disk) = (usage.available_memory(node), usage.available_disk(node));
            sums.free_memory += usage.unallocated(node);
            sums.free_disk += usage.free_disk;
            sums.free_spindles += usage.free_spindles;
            sums.available_memory += memory;
            sums.available_disk += disk;
            sums.largest_memory = sums.largest_memory.max(memory);
            sums.largest_disk = sums.largest_disk.max(disk);
            sums.instance_memory += usage.instance_memory;
            sums.instance_disk += truncated(node.total_disk) - usage.free_disk;
            sums.instance_spindles += node.spindles - usage.free_spindles;
            sums.instance_vcpus += usage.vcpus;
            sums.memory += node.total_memory;
            sums.disk += node.total_disk;
            sums.spindles += real(node.spindles);
            sums.cpus += node.cpus;
            sums.vcpus += node.vcpu_limit();
            sums.taken_cpus += real(usage.vcpus) / node.vcpu_ratio;
            sums.missing_memory += node.missing_memory;
            sums.node_memory += node.node_memory;
            sums.instances += state.primaries[id.at()].len();
        }
        sums
    }

    /// Part of the memory that instances have.
    #[must_use]
    pub fn memory_efficiency(&self) -> f64 {
        real(self.instance_memory) / self.memory
    }

    /// Part of the disk space that is taken.
    #[must_use]
    pub fn disk_efficiency(&self) -> f64 {
        real(self.instance_disk) / self.disk
    }

    /// Part of the virtual CPUs that is taken.
    #[must_use]
    pub fn cpu_efficiency(&self) -> f64 {
        real(self.instance_vcpus) / real(self.vcpus)
    }

    /// Part of the spindles that is taken.
    #[must_use]
    pub fn spindle_efficiency(&self) -> f64 {
        real(self.instance_spindles) / self.spindles
    }

    /// What is taken.
    #[must_use]
    pub fn used(&self) -> Shares {
        Shares {
            vcpus: self.instance_vcpus,
            cpus: self.taken_cpus,
            memory: self.instance_memory,
            disk: self.instance_disk,
            spindles: self.instance_spindles,
        }
    }

    /// What is taken here and not `before`.
    #[must_use]
    pub fn used_since(&self, before: &Self) -> Shares {
        let (now, before) = (self.used(), before.used());
        Shares {
            vcpus: now.vcpus - before.vcpus,
            cpus: now.cpus - before.cpus,
            memory: now.memory - before.memory,
            disk: now.disk - before.disk,
            spindles: now.spindles - before.spindles,
        }
    }

    /// What is not taken.
    #[must_use]
    pub fn unused(&self) -> Shares {
        Shares {
            vcpus: self.vcpus - self.instance_vcpus,
            cpus: self.cpus - self.taken_cpus,
            memory: truncated(self.memory) - self.instance_memory,
            disk: truncated(self.disk) - self.instance_disk,
            spindles: truncated(self.spindles) - self.instance_spindles,
        }
    }
}
