//! Nodes in columns: one list per property, so that a walk over one property of all nodes touches nothing else.

use std::collections::BTreeMap;

use crate::legacy::instance::Instance;

/// A node as it is put in.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Index of its group.
    pub group: usize,
    /// Whether it may get instances: online, not drained, able to run them, and its resources are known.
    pub usable: bool,
    /// All memory, in MiB.
    pub total_memory_mib: u64,
    /// Memory of the node's own system, in MiB.
    pub node_memory_mib: u64,
    /// Free memory as the node says, less what its instances that are wanted up do not use yet, in MiB.
    pub free_memory_mib: u64,
    /// All disk space, in MiB.
    pub total_disk_mib: u64,
    /// Free disk space, in MiB. The disks of the instances are off already.
    pub free_disk_mib: u64,
    /// Processors.
    pub cpus: u64,
    /// Processors kept for the node's own system.
    pub node_cpus: u64,
    /// Spindles.
    pub spindles: u64,
}

/// All nodes.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    pub(crate) name: Vec<String>,
    pub(crate) group: Vec<usize>,
    pub(crate) usable: Vec<bool>,
    pub(crate) total_memory: Vec<i64>,
    /// Total less the node's own less that of the instances.
    pub(crate) recorded_memory: Vec<i64>,
    /// What the node says is free, when that is less; fixed by [`crate::Cluster::new`].
    pub(crate) missing_memory: Vec<i64>,
    pub(crate) reported_memory: Vec<i64>,
    pub(crate) total_disk: Vec<i64>,
    pub(crate) free_disk: Vec<i64>,
    pub(crate) cpus: Vec<u64>,
    pub(crate) vcpus: Vec<u64>,
    pub(crate) spindles: Vec<u64>,
    pub(crate) spindle_use: Vec<u64>,
    pub(crate) primaries: Vec<u64>,
    pub(crate) secondaries: Vec<u64>,
    /// Memory of secondaries by the node of their primary.
    pub(crate) peers: Vec<BTreeMap<usize, i64>>,
    /// How many primaries carry each exclusion tag.
    pub(crate) exclusion: Vec<BTreeMap<String, u64>>,
}

/// What one node carries: a row of [`Nodes`] that a trial placement may change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Memory that nobody has, in MiB.
    pub unallocated: i64,
    /// Free disk space, in MiB.
    pub free_disk: i64,
    /// Memory to be kept for secondaries whose node fails, in MiB.
    pub reserved: i64,
    /// Virtual CPUs.
    pub vcpus: u64,
    /// Spindles in use.
    pub spindle_use: u64,
    /// Primary instances.
    pub primaries: u64,
    /// Secondary instances.
    pub secondaries: u64,
    /// Exclusion tags used more than once.
    pub conflicts: u64,
}

impl Load {
    /// Whether the node could not take over its secondaries (Ganeti: N+1 failure).
    #[must_use]
    pub fn fails_n1(&self) -> bool {
        self.reserved > 0 && self.unallocated <= self.reserved
    }
}

impl Nodes {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.name.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.name.is_empty()
    }

    /// The name of a node.
    #[must_use]
    pub fn name(&self, node: usize) -> &str {
        &self.name[node]
    }

    /// The group of a node.
    #[must_use]
    pub fn group(&self, node: usize) -> usize {
        self.group[node]
    }

    /// Whether a node may get instances.
    #[must_use]
    pub fn is_usable(&self, node: usize) -> bool {
        self.usable[node]
    }

    /// Indices of the usable nodes of a group.
    pub fn usable_in(&self, group: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(move |&node| self.usable[node] && self.group[node] == group)
    }

    pub(crate) fn push(&mut self, node: Node) {
        self.name.push(node.name);
        self.group.push(node.group);
        self.usable.push(node.usable);
        self.total_memory.push(signed(node.total_memory_mib));
        self.recorded_memory.push(signed(node.total_memory_mib) - signed(node.node_memory_mib));
        self.missing_memory.push(0);
        self.reported_memory.push(signed(node.free_memory_mib));
        self.total_disk.push(signed(node.total_disk_mib));
        self.free_disk.push(signed(node.free_disk_mib));
        self.cpus.push(node.cpus);
        self.vcpus.push(node.node_cpus);
        self.spindles.push(node.spindles);
        self.spindle_use.push(0);
        self.primaries.push(0);
        self.secondaries.push(0);
        self.peers.push(BTreeMap::new());
        self.exclusion.push(BTreeMap::new());
    }

    /// Memory that is not recorded but is not free either, as of now: guests of others, caches, leaks.
    pub(crate) fn settle_missing(&mut self) {
        for node in 0..self.len() {
            self.missing_memory[node] = (self.recorded_memory[node] - self.reported_memory[node]).max(0);
        }
    }

    /// The row of a node.
    #[must_use]
    pub fn load(&self, node: usize) -> Load {
        Load {
            unallocated: self.recorded_memory[node] - self.missing_memory[node],
            free_disk: self.free_disk[node],
            reserved: self.peers[node].values().copied().max().unwrap_or(0),
            vcpus: self.vcpus[node],
            spindle_use: self.spindle_use[node],
            primaries: self.primaries[node],
            secondaries: self.secondaries[node],
            conflicts: self.exclusion[node].values().map(|count| count - 1).sum(),
        }
    }

    /// The row of a node if `instance` had its primary there.
    #[must_use]
    pub fn with_primary(&self, node: usize, instance: &Instance, prefixes: &[String]) -> Load {
        let load = self.load(node);
        let conflicts = instance.exclusion_tags(prefixes).filter(|tag| self.exclusion[node].contains_key(*tag)).count();
        Load {
            unallocated: load.unallocated - signed(instance.used_memory_mib()),
            free_disk: load.free_disk - signed(instance.node_disk_mib()),
            vcpus: load.vcpus + instance.vcpus,
            spindle_use: load.spindle_use + instance.spindle_use,
            primaries: load.primaries + 1,
            conflicts: load.conflicts + conflicts as u64,
            ..load
        }
    }

    /// The row of a node if `instance`, with its primary on `primary`, had its secondary there.
    #[must_use]
    pub fn with_secondary(&self, node: usize, instance: &Instance, primary: usize) -> Load {
        let load = self.load(node);
        let kept = if instance.auto_balance { signed(instance.used_memory_mib()) } else { 0 };
        let of_peer = self.peers[node].get(&primary).copied().unwrap_or(0) + kept;
        Load {
            free_disk: load.free_disk - signed(instance.node_disk_mib()),
            reserved: load.reserved.max(of_peer),
            spindle_use: load.spindle_use + instance.spindle_use,
            secondaries: load.secondaries + 1,
            ..load
        }
    }

    /// Adds what the instance uses. `fresh`: its disks are not off the free space yet.
    pub(crate) fn add(&mut self, instance: &Instance, prefixes: &[String], fresh: bool) {
        let disk = if fresh { signed(instance.node_disk_mib()) } else { 0 };
        let node = instance.primary;
        self.recorded_memory[node] -= signed(instance.used_memory_mib());
        self.free_disk[node] -= disk;
        self.vcpus[node] += instance.vcpus;
        self.spindle_use[node] += instance.spindle_use;
        self.primaries[node] += 1;
        for tag in instance.exclusion_tags(prefixes) {
            *self.exclusion[node].entry(tag.to_owned()).or_insert(0) += 1;
        }
        let Some(secondary) = instance.secondary else { return };
        self.free_disk[secondary] -= disk;
        self.spindle_use[secondary] += instance.spindle_use;
        self.secondaries[secondary] += 1;
        if instance.auto_balance {
            *self.peers[secondary].entry(node).or_insert(0) += signed(instance.used_memory_mib());
        }
    }

    /// Takes away what the instance uses on its primary node.
    pub(crate) fn remove_primary(&mut self, instance: &Instance, prefixes: &[String]) {
        let node = instance.primary;
        self.recorded_memory[node] += signed(instance.used_memory_mib());
        self.free_disk[node] += signed(instance.node_disk_mib());
        self.vcpus[node] -= instance.vcpus;
        self.spindle_use[node] -= instance.spindle_use;
        self.primaries[node] -= 1;
        for tag in instance.exclusion_tags(prefixes) {
            if let Some(count) = self.exclusion[node].get_mut(tag) {
                *count -= 1;
                if *count == 0 {
                    self.exclusion[node].remove(tag);
                }
            }
        }
    }
}

/// Amounts beyond 2^62 MiB do not exist; a wrong report of one counts as that.
pub(crate) fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX).min(1 << 62)
}
