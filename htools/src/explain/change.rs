//! Single changes that make an instance fit, each the smallest of its kind, each tried.
//!
//! A try takes long where there are many nodes. On large clusters ([`Question::is_large`]) only the changes are
//! tried that the limits which were met name by themselves: they may be larger than needed, and some may be missed.

use super::{Closed, Explanation, Limit, Question, Role};
use crate::cluster::Cluster;
use crate::id::{GroupId, NodeId};
use crate::instance::Instance;
use crate::policy::MinMax;
use crate::state::{State, real};

/// So many nodes are tried with more of something, those that miss least first.
const CLOSEST: usize = 3;
/// So many nodes are tried as online ones.
const OFFLINE: usize = 8;
/// On large clusters both are this.
const FEW: usize = 1;

/// A change after which the instance has a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The instance has this memory, in MiB.
    Memory(i64),
    /// Its largest disk has this size, in MiB.
    LargestDisk(i64),
    /// It has so many virtual CPUs.
    Vcpus(i64),
    /// It does not have this exclusion tag.
    WithoutTag(String),
    /// The node has so much more memory, in MiB.
    MoreMemory(NodeId, i64),
    /// The node has so much more disk space, in MiB.
    MoreDisk(NodeId, i64),
    /// The policy of the group has this vCPU ratio.
    VcpuRatio(GroupId, f64),
    /// The policy of the group has this spindle ratio.
    SpindleRatio(GroupId, f64),
    /// The node is in use again.
    Online(NodeId),
    /// The group is named, or may take new instances.
    Allocable(GroupId),
    /// Nodes other than the given ones are allowed.
    AnyNode,
    /// Whether the loss of a node can be made up for is not asked.
    NoCapacityChecks,
}

/// All that are found, those of the instance first.
pub(super) fn all(question: &Question<'_>, found: &Explanation) -> Vec<Change> {
    let mut changes = of_the_instance(question, found);
    changes.extend(of_tags(question, found));
    changes.extend(of_nodes(question, found));
    changes.extend(of_ratios(question, found));
    changes.extend(of_the_offline(question));
    for (group, closed) in &found.closed {
        if *closed == Closed::Unallocable && (Question { group: Some(*group), ..*question }).fits() {
            changes.push(Change::Allocable(*group));
        }
    }
    let options = &crate::allocate::Options { restrict_to: None, ..question.options.clone() };
    if question.options.restrict_to.is_some() && (Question { options, ..*question }).fits() {
        changes.push(Change::AnyNode);
    }
    let options = &crate::allocate::Options { capacity: false, ..question.options.clone() };
    if question.options.capacity && (Question { options, ..*question }).fits() {
        changes.push(Change::NoCapacityChecks);
    }
    changes
}

/// Whether there is a place for the instance as `change` makes it.
fn fits_as(question: &Question<'_>, cluster: &mut Cluster, change: impl FnOnce(&mut Instance)) -> bool {
    let at = question.id.at();
    let old = cluster.instances[at].clone();
    change(&mut cluster.instances[at]);
    let fits = Question { cluster, ..*question }.fits();
    cluster.instances[at] = old;
    fits
}

/// Smaller sizes, or the smallest of a policy.
fn of_the_instance(question: &Question<'_>, found: &Explanation) -> Vec<Change> {
    let large = question.is_large();
    // What is tried on a large cluster: the sizes with which the nearest node takes it, and the two nearest.
    let hints = |old: i64, of: fn(&Limit) -> Option<i64>| {
        let mut over: Vec<i64> = found.obstacles.iter().filter_map(|obstacle| of(&obstacle.limit)).collect();
        over.sort_unstable();
        large.then(|| over.into_iter().take(2).map(|over| old - over).collect::<Vec<i64>>())
    };
    let mut cluster = question.cluster.clone();
    let instance = question.cluster.instance(question.id).clone();
    let ranges = || question.groups().into_iter().flat_map(|group| &question.cluster.group(group).policy.ranges);
    let least = |of: fn(&MinMax) -> i64| ranges().map(of).min().unwrap_or(0).max(1);
    let mut changes = Vec::new();
    let memory = size(instance.memory, least(|range| range.min.memory), hints(instance.memory, |limit| misses(limit, true)), |new| {
        fits_as(question, &mut cluster, |instance| instance.memory = new)
    });
    changes.extend(memory.map(Change::Memory));
    if let Some(largest) = (0..instance.disks.len()).max_by_key(|at| instance.disks[*at].size) {
        let old = instance.disks[largest].size;
        let disk = size(old, least(|range| range.min.disk), hints(old, |limit| misses(limit, false)), |new| {
            fits_as(question, &mut cluster, |instance| {
                instance.disks[largest].size = new;
                instance.disk += new - old;
            })
        });
        changes.extend(disk.map(Change::LargestDisk));
    }
    let over = |limit: &Limit| match limit {
        Limit::Cpu { vcpus, limit } => Some(vcpus - limit),
        _ => None,
    };
    let vcpus = size(instance.vcpus, least(|range| range.min.cpus), hints(instance.vcpus, over), |new| {
        fits_as(question, &mut cluster, |instance| instance.vcpus = new)
    });
    changes.extend(vcpus.map(Change::Vcpus));
    changes
}

/// The largest size below `old` that fits, at least `least`; or `least` where `old` is below it. With hints only these are tried.
fn size(old: i64, least: i64, hints: Option<Vec<i64>>, mut fits: impl FnMut(i64) -> bool) -> Option<i64> {
    if let Some(mut hints) = hints {
        hints.dedup();
        return hints.into_iter().find(|hint| (least..old).contains(hint) && fits(*hint));
    }
    if !fits(least) {
        return None;
    }
    let (mut good, mut bad) = (least, old.max(least));
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fits(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    (good != old).then_some(good)
}

fn of_tags(question: &Question<'_>, found: &Explanation) -> Vec<Change> {
    let mut tags: Vec<&String> = Vec::new();
    for obstacle in &found.obstacles {
        if let Limit::Tag(tag) = &obstacle.limit
            && !tags.contains(&tag)
        {
            tags.push(tag);
        }
    }
    let mut cluster = question.cluster.clone();
    let without = |tag: &&String| {
        let name = (*tag).clone();
        let words = question.cluster.words.clone();
        fits_as(question, &mut cluster, |instance| instance.exclusion.retain(|word| words.name(*word) != name))
    };
    tags.into_iter().filter(without).cloned().map(Change::WithoutTag).collect()
}

/// The nodes that miss least, with what they miss.
fn of_nodes(question: &Question<'_>, found: &Explanation) -> Vec<Change> {
    let mut changes = Vec::new();
    for memory in [true, false] {
        let mut missing: Vec<(NodeId, i64)> =
            found.obstacles.iter().filter_map(|obstacle| Some((obstacle.node, misses(&obstacle.limit, memory)?))).collect();
        missing.sort_by_key(|(_, more)| *more);
        let tries = if question.is_large() { FEW } else { CLOSEST };
        let good = missing.into_iter().take(tries).find(|(node, more)| {
            let (cluster, state) = with_more(question, *node, *more, memory);
            Question { cluster: &cluster, state: &state, ..*question }.fits()
        });
        let change = if memory { Change::MoreMemory } else { Change::MoreDisk };
        changes.extend(good.map(|(node, more)| change(node, more)));
    }
    changes
}

/// Memory, or else disk space, that is missing where this limit is met. One MiB has to stay.
fn misses(limit: &Limit, memory: bool) -> Option<i64> {
    match *limit {
        Limit::Memory { wanted, free } | Limit::SecondaryMemory { wanted, free } | Limit::EventualMemory { wanted, free } if memory => {
            Some(wanted - free + 1)
        }
        Limit::Reserved { left, reserved } if memory => Some(reserved - left + 1),
        Limit::Disk { wanted, free } | Limit::EventualDisk { wanted, free } if !memory => Some(wanted - free + 1),
        _ => None,
    }
}

/// The cluster whose node has so much more memory or disk space.
fn with_more(question: &Question<'_>, id: NodeId, more: i64, memory: bool) -> (Cluster, State) {
    let (mut cluster, mut state) = (question.cluster.clone(), question.state.clone());
    let (node, usage) = (&mut cluster.nodes[id.at()], &mut state.usage[id.at()]);
    if memory {
        node.total_memory += real(more);
        node.free_memory += more;
        usage.eventual_memory += more;
        usage.fails_n1 = usage.unallocated(node) <= usage.reserved_memory;
    } else {
        node.total_disk += real(more);
        node.free_disk += more;
        usage.free_disk += more;
        usage.eventual_disk += more;
    }
    (cluster, state)
}

/// The least ratio with which the node fits that is closest to its limit.
fn of_ratios(question: &Question<'_>, found: &Explanation) -> Vec<Change> {
    let mut changes = Vec::new();
    for group in question.groups() {
        let here = || found.obstacles.iter().filter(|obstacle| question.cluster.node(obstacle.node).group == group);
        let vcpus = here().filter_map(|obstacle| match obstacle.limit {
            Limit::Cpu { vcpus, .. } => Some(real(vcpus) / question.cluster.node(obstacle.node).cpus),
            _ => None,
        });
        changes.extend(
            ratio(vcpus)
                .filter(|ratio| fits_with(question, group, |node| node.vcpu_ratio = *ratio))
                .map(|ratio| Change::VcpuRatio(group, ratio)),
        );
        let spindles = here().filter_map(|obstacle| match obstacle.limit {
            Limit::SpindleUse { used, .. } if obstacle.role == Role::Primary => {
                Some(used / real(question.cluster.node(obstacle.node).spindles))
            }
            _ => None,
        });
        let spindles = ratio(spindles).filter(|ratio| fits_with(question, group, |node| node.spindle_ratio = *ratio));
        changes.extend(spindles.map(|ratio| Change::SpindleRatio(group, ratio)));
    }
    changes
}

/// The least, rounded up to hundredths.
fn ratio(ratios: impl Iterator<Item = f64>) -> Option<f64> {
    let least = ratios.filter(|ratio| ratio.is_finite()).min_by(f64::total_cmp)?;
    Some((least * 100.0).ceil() / 100.0)
}

fn fits_with(question: &Question<'_>, group: GroupId, change: impl Fn(&mut crate::Node)) -> bool {
    let mut cluster = question.cluster.clone();
    cluster.nodes.iter_mut().filter(|node| node.group == group).for_each(change);
    Question { cluster: &cluster, ..*question }.fits()
}

/// A drained node that is in use again; what an offline one has is often not known, and then it does not fit.
fn of_the_offline(question: &Question<'_>) -> Option<Change> {
    let groups = question.groups();
    let offline = question.cluster.node_ids().filter(|id| {
        let node = question.cluster.node(*id);
        node.offline && groups.contains(&node.group)
    });
    let mut cluster = question.cluster.clone();
    let mut fits = |id: &NodeId| {
        cluster.nodes[id.at()].offline = false;
        let fits = Question { cluster: &cluster, ..*question }.fits();
        cluster.nodes[id.at()].offline = true;
        fits
    };
    offline.take(if question.is_large() { FEW } else { OFFLINE }).find(|id| fits(id)).map(Change::Online)
}
