//! Instances, as far as placement looks at them.

use std::collections::BTreeSet;

use gannet_core::param::DiskTemplate;

/// On which nodes the data of an instance can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// On its primary node only.
    None,
    /// On its primary and its secondary node (drbd).
    Internal,
    /// On every node (shared storage).
    External,
}

/// An instance that is placed, or is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// Memory that it gets at its start, in MiB.
    pub memory_mib: u64,
    /// Whether it has this memory now, or will when its node has it back: it is wanted up.
    pub uses_memory: bool,
    /// Sizes of its disks, in MiB.
    pub disks_mib: Vec<u64>,
    /// How the disks are kept.
    pub template: DiskTemplate,
    /// Virtual CPUs.
    pub vcpus: u64,
    /// Spindles it counts with.
    pub spindle_use: u64,
    /// Number of NICs.
    pub nic_count: u64,
    /// Whether N+1 looks at it.
    pub auto_balance: bool,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// Index of its primary node; ignored for one that is to be placed.
    pub primary: usize,
    /// Index of its secondary node (drbd).
    pub secondary: Option<usize>,
}

impl Instance {
    /// Where its data can be used.
    #[must_use]
    pub fn mirror(&self) -> Mirror {
        if self.template.is_int_mirrored() {
            Mirror::Internal
        } else if self.template.is_ext_mirrored() {
            Mirror::External
        } else {
            Mirror::None
        }
    }

    /// Disk space that it takes from its nodes, in MiB; none for shared storage.
    #[must_use]
    pub fn node_disk_mib(&self) -> u64 {
        if self.mirror() == Mirror::External { 0 } else { self.disks_mib.iter().sum() }
    }

    /// Memory that it takes from its primary node now, in MiB.
    #[must_use]
    pub fn used_memory_mib(&self) -> u64 {
        if self.uses_memory { self.memory_mib } else { 0 }
    }

    /// Its tags of which a node should hold only one each, given their prefixes (Ganeti: exclusion tags).
    pub fn exclusion_tags<'a>(&'a self, prefixes: &'a [String]) -> impl Iterator<Item = &'a str> {
        let tags = self.tags.iter().map(String::as_str);
        tags.filter(|tag| prefixes.iter().any(|prefix| tag.starts_with(prefix.as_str())))
    }
}
