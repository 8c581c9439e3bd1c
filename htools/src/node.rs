//! Nodes: what they have. What instances take of it is in [`Usage`](crate::state::Usage).

use crate::id::GroupId;

/// What is known of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The name without the suffix that all names share; plans print it.
    pub alias: String,
    /// Its group.
    pub group: GroupId,
    /// In MiB.
    pub total_memory: f64,
    /// Memory of the node's own system, in MiB.
    pub node_memory: i64,
    /// Memory that the node reported as free, in MiB.
    pub free_memory: i64,
    /// Recorded minus reported free memory, in MiB, fixed when the cluster was loaded; only what is missing counts, not a surplus.
    pub missing_memory: i64,
    /// Memory that instances may have together, per memory that there is for them.
    pub memory_ratio: f64,
    /// What the ratio adds to the total and to the free memory, in MiB; both have it already.
    pub overcommitted: i64,
    /// In MiB.
    pub total_disk: f64,
    /// Free disk space when the cluster was loaded, in MiB.
    pub free_disk: i64,
    /// Physical CPUs.
    pub cpus: f64,
    /// Relative to others; 1 is the normal.
    pub cpu_speed: f64,
    /// CPUs that the node's own system takes.
    pub node_cpus: i64,
    /// All spindles.
    pub spindles: i64,
    /// Spindles free when the cluster was loaded (with exclusive storage).
    pub free_spindles: i64,
    /// Spindles are a resource, and disks are taken from them.
    pub exclusive_storage: bool,
    /// Not to be used: marked offline, drained, or not able to host instances.
    pub offline: bool,
    /// It is the master.
    pub master: bool,
    /// CPU load as it was measured; `None`: the sum of that of its primaries.
    pub cpu_load: Option<f64>,
    /// It runs KVM, whose reports of the node's own memory mean little.
    pub is_kvm: bool,
    /// All of its tags.
    pub tags: Vec<String>,
    /// Part of the disk that stays free (`--min-disk`).
    pub min_disk: f64,
    /// Virtual CPUs per CPU: of the policy, or `--max-cpu`.
    pub vcpu_ratio: f64,
    /// Spindle use per spindle, of the policy.
    pub spindle_ratio: f64,
    /// Migration tags (indices into [`Cluster::words`](crate::Cluster::words)), sorted.
    pub migration: Vec<u32>,
    /// Migration tags of nodes that it can receive from, sorted.
    pub receivable: Vec<u32>,
    /// What it fails together with, sorted.
    pub location: Vec<u32>,
}

impl Node {
    /// A node with nothing but a name, and nothing on it.
    #[must_use]
    pub fn new(name: &str, group: GroupId) -> Self {
        Self {
            name: name.to_owned(),
            alias: name.to_owned(),
            group,
            total_memory: 0.0,
            node_memory: 0,
            free_memory: 0,
            missing_memory: 0,
            memory_ratio: 1.0,
            overcommitted: 0,
            total_disk: 0.0,
            free_disk: 0,
            cpus: 0.0,
            cpu_speed: 1.0,
            node_cpus: 0,
            spindles: 0,
            free_spindles: 0,
            exclusive_storage: false,
            offline: false,
            master: false,
            cpu_load: None,
            is_kvm: false,
            tags: Vec::new(),
            min_disk: 0.0,
            vcpu_ratio: 4.0,
            spindle_ratio: 32.0,
            migration: Vec::new(),
            receivable: Vec::new(),
            location: Vec::new(),
        }
    }

    /// Memory that would be free without instances, less what is missing, in MiB.
    #[must_use]
    pub fn memory_for_instances(&self) -> i64 {
        truncated(self.total_memory) - self.node_memory - self.missing_memory.max(0)
    }

    /// Lets the ratio make more (or less) memory of what there is for instances. The missing memory must have been found before.
    /// Doing it again changes nothing.
    pub fn overcommit(&mut self) {
        let there = (self.memory_for_instances() - self.overcommitted).max(0);
        #[expect(clippy::cast_precision_loss, reason = "loaders bound quantities far below 2^53")]
        let more = floor(there as f64 * self.memory_ratio) - there;
        let change = more - self.overcommitted;
        #[expect(clippy::cast_precision_loss, reason = "loaders bound quantities far below 2^53")]
        let change_of_total = change as f64;
        self.total_memory += change_of_total;
        self.free_memory += change;
        self.overcommitted = more;
    }

    /// Disk space that stays free, in MiB.
    #[must_use]
    pub fn disk_floor(&self) -> i64 {
        floor(self.min_disk * self.total_disk)
    }

    /// Virtual CPUs that it may have.
    #[must_use]
    pub fn vcpu_limit(&self) -> i64 {
        floor(self.vcpu_ratio * self.cpus)
    }

    /// Spindle use that it may have.
    #[must_use]
    pub fn spindle_limit(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "loaders bound quantities far below 2^53")]
        let spindles = self.spindles as f64;
        self.spindle_ratio * spindles
    }

    /// Whether an instance may come live from `source`: it accepts all of its migration tags.
    #[must_use]
    pub fn receives_from(&self, source: &Self) -> bool {
        source.migration.iter().all(|tag| self.receivable.contains(tag))
    }
}

/// Rounded towards zero. Loaders bound quantities, so nothing is lost.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "this is the one place where quantities become integers")]
pub fn truncated(quantity: f64) -> i64 {
    quantity as i64
}

/// Rounded down.
#[must_use]
pub fn floor(quantity: f64) -> i64 {
    truncated(quantity.floor())
}
