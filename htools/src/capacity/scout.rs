//! Whether a size has any place at all, for thousands of sizes on the same state.
//!
//! Limits compare a size with numbers of the nodes and policies. Between two such numbers nothing changes, so sizes are put into
//! classes by them, and each class is looked at once.

use std::collections::HashMap;

use super::Size;
use crate::allocate::Targets;
use crate::cluster::Cluster;
use crate::fail::{FailCounts, FailMode};
use crate::id::NodeId;
use crate::instance::Instance;
use crate::state::{Limits, State};

/// Memory, disk space, virtual CPUs and spindles, the first two as classes.
type Class = (usize, usize, i64, i64);

/// What is known of one state.
#[derive(Debug)]
pub(super) struct Scout {
    memory: Vec<i64>,
    disk: Vec<i64>,
    /// Per class: why there is no place; `None`: there is one, if all nodes can be lost with it.
    known: HashMap<Class, Option<FailCounts>>,
}

impl Scout {
    /// The numbers that sizes are compared with. Instances are of one kind: only their sizes differ.
    pub(super) fn new(cluster: &Cluster, state: &State, targets: &Targets) -> Self {
        let (mut memory, mut disk) = (Vec::new(), Vec::new());
        let nodes = tried(targets);
        for id in &nodes {
            let (node, usage) = (cluster.node(*id), state.usage(*id));
            let unallocated = usage.unallocated(node);
            memory.extend([unallocated, unallocated - usage.reserved_memory, usage.eventual_memory]);
            memory.extend(state.peers[id.at()].iter().map(|(_, own)| unallocated - own));
            for free in [usage.free_disk, usage.eventual_disk] {
                disk.extend([free, free - node.disk_floor()]);
            }
        }
        for range in cluster.groups.iter().flat_map(|group| &group.policy.ranges) {
            memory.extend([range.min.memory, range.max.memory]);
            disk.extend([range.min.disk, range.max.disk]);
        }
        Self { memory: bounds(memory), disk: bounds(disk), known: HashMap::new() }
    }

    /// Why there is no place; `None`: there is one, if all nodes can be lost with it.
    pub(super) fn refusal(&mut self, cluster: &Cluster, state: &State, targets: &Targets, instance: &Instance) -> Option<FailCounts> {
        let size = Size::of(instance);
        let class = (below(&self.memory, size.memory), below(&self.disk, size.disk), size.vcpus, size.spindles);
        *self.known.entry(class).or_insert_with(|| refusal(cluster, state, targets, instance))
    }

    /// The smallest memory and disk space of the class of a size.
    pub(super) fn least(&self, size: &Size) -> (i64, i64) {
        let least = |bounds: &[i64], value: i64| below(bounds, value).checked_sub(1).map_or(i64::MIN, |at| bounds[at]);
        (least(&self.memory, size.memory), least(&self.disk, size.disk))
    }
}

/// Numbers between which nothing changes, whichever of `<` and `<=` they are compared with.
fn bounds(mut numbers: Vec<i64>) -> Vec<i64> {
    numbers.extend_from_within(..);
    let half = numbers.len() / 2;
    numbers[half..].iter_mut().for_each(|number| *number += 1);
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn below(bounds: &[i64], value: i64) -> usize {
    bounds.partition_point(|bound| *bound <= value)
}

fn tried(targets: &Targets) -> Vec<NodeId> {
    match targets {
        Targets::Single(nodes) => nodes.clone(),
        Targets::Pairs(pairs) => pairs.seconds.iter().flatten().copied().collect(),
    }
}

/// Tries all places, and counts why they refuse, until one does not.
fn refusal(cluster: &Cluster, state: &State, targets: &Targets, instance: &Instance) -> Option<FailCounts> {
    let mut failures = FailCounts::default();
    let primary = |id: NodeId| -> Result<(), FailMode> {
        let node = cluster.node(id);
        cluster.group(node.group).policy.check(instance, node.exclusive_storage)?;
        state.with_primary(cluster, id, instance, 0, Limits::All).map(|_| ())
    };
    match targets {
        Targets::Single(nodes) => {
            for id in nodes {
                failures.add(primary(*id).err()?);
            }
        }
        Targets::Pairs(pairs) => {
            for (p, list) in &pairs.primaries {
                let seconds = pairs.seconds[*list].iter().filter(|s| *s != p);
                match primary(*p) {
                    Err(mode) => failures.add_many(mode, u64::try_from(seconds.count()).unwrap_or(u64::MAX)),
                    Ok(()) => {
                        for s in seconds {
                            failures.add(state.with_secondary(cluster, *s, instance, *p, Limits::All).err()?);
                        }
                    }
                }
            }
        }
    }
    Some(failures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_end_at_both_sides_of_a_number() {
        let bounds = bounds(vec![10, 20]);
        assert_eq!(bounds, [10, 11, 20, 21]);
        let classes: Vec<usize> = [9, 10, 11, 19, 20, 21].into_iter().map(|value| below(&bounds, value)).collect();
        assert_eq!(classes, [0, 1, 2, 2, 3, 4]);
    }
}
