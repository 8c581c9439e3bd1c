//! What this node has: memory, processors, storage space. On a virtual node these are the host's numbers, since nothing
//! divides them; what a hypervisor knows better (memory of fake instances), it says itself.

use std::fs;

use gannet_core::paths::Paths;
use gannet_daemon::world::{self, Machine};
use gannet_proto::node::{HypervisorInfo, NodeInfoReply, StorageUnit};

use crate::storage::list::unit_space;

/// Memory in MiB, as Ganeti 3.1 counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// `MemTotal`.
    pub total_mib: u64,
    /// `MemAvailable`: free, or soon freed by the kernel.
    pub free_mib: u64,
    /// The rest: what the node's system and its guests use.
    pub dom0_mib: u64,
}

/// The memory now; zeros when the kernel does not tell.
#[must_use]
pub fn memory() -> Memory {
    if let Some(world) = world::get() {
        let Machine { memory_mib, free_mib, .. } = world.machine();
        return Memory { total_mib: memory_mib, free_mib, dom0_mib: memory_mib.saturating_sub(free_mib) };
    }
    parse_meminfo(&fs::read_to_string("/proc/meminfo").unwrap_or_default())
}

fn parse_meminfo(text: &str) -> Memory {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1024
    };
    let (total_mib, free_mib) = (field("MemTotal"), field("MemAvailable"));
    Memory { total_mib, free_mib, dom0_mib: total_mib.saturating_sub(free_mib) }
}

/// How many processors the kernel lists.
#[must_use]
pub fn cpus() -> u32 {
    if let Some(world) = world::get() {
        return world.machine().cpus;
    }
    count_cpus(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default())
}

fn count_cpus(text: &str) -> u32 {
    let is_cpu =
        |line: &&str| line.split_once(':').is_some_and(|(name, value)| name.trim() == "processor" && value.trim().parse::<u32>().is_ok());
    u32::try_from(text.lines().filter(is_cpu).count()).unwrap_or(u32::MAX)
}

/// Changes with each start of the machine.
#[must_use]
pub fn boot_id() -> String {
    if let Some(world) = world::get() {
        return world.machine().boot_id;
    }
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// All facts together. NUMA nodes and sockets are 1, and all processors the node's own, as in Ganeti for hypervisors
/// that share the kernel's view.
#[must_use]
pub fn node_info(paths: &Paths, storage: &[StorageUnit], hypervisors: Vec<HypervisorInfo>) -> NodeInfoReply {
    let (memory, cpus) = (memory(), cpus());
    NodeInfoReply {
        memory_total_mib: memory.total_mib,
        memory_free_mib: memory.free_mib,
        memory_dom0_mib: memory.dom0_mib,
        cpu_total: cpus,
        cpu_nodes: 1,
        cpu_sockets: 1,
        cpu_dom0: cpus,
        boot_id: boot_id(),
        storage: storage.iter().map(|unit| unit_space(paths, unit)).collect(),
        hypervisors,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_as_in_ganeti() {
        let text = "MemTotal:       24580000 kB\nMemFree:         100 kB\nMemAvailable:    4194304 kB\nActive: 5 kB\n";
        assert_eq!(parse_meminfo(text), Memory { total_mib: 24003, free_mib: 4096, dom0_mib: 19907 });
        assert_eq!(parse_meminfo(""), Memory::default());
        let now = memory();
        assert!(now.total_mib > 0 && now.free_mib <= now.total_mib);
    }

    #[test]
    fn processors() {
        assert_eq!(count_cpus("processor\t: 0\nmodel name\t: processor : x\n\nprocessor\t: 1\n"), 2);
        assert!(cpus() > 0 && !boot_id().is_empty());
    }
}
