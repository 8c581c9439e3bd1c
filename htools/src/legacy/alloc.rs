//! Where an instance goes: every place is tried, those where a limit stands in the way are left out, and of the others the
//! one is taken that leaves the cluster most even. Equal places are told apart by the names of their nodes.

use gannet_core::param::AllocPolicy;
use gannet_core::param::ipolicy::{InstanceSpec, violations};

use crate::legacy::cluster::Cluster;
use crate::legacy::instance::{Instance, Mirror};
use crate::legacy::limit::{Limit, NoPlace};
use crate::legacy::metric::Metric;
use crate::legacy::node::Load;
use crate::legacy::redundancy;

/// Scores that differ by less are equal: their difference is that of rounding.
const EPSILON: f64 = 1e-9;

/// A place for an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// The primary node.
    pub primary: usize,
    /// The secondary node, for templates that mirror.
    pub secondary: Option<usize>,
    /// The score of the cluster with the instance there.
    pub score: f64,
}

/// What an allocation may choose from.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Only this group.
    pub group: Option<usize>,
    /// Only these nodes; `None`: all.
    pub nodes: Option<Vec<usize>>,
    /// Do not look at the group's policy for the instance's size.
    pub ignore_policy: bool,
}

/// Finds a place for a new instance.
///
/// # Errors
/// [`NoPlace`] with what stands in the way on each node.
pub fn allocate(cluster: &Cluster, instance: &Instance, choice: &Choice) -> Result<Placement, NoPlace> {
    let mut why = NoPlace::default();
    let mut best: Option<(AllocPolicy, Placement)> = None;
    for (group, data) in cluster.groups.iter().enumerate() {
        if choice.group.is_some_and(|wanted| wanted != group) {
            continue;
        }
        if data.alloc_policy == AllocPolicy::Unallocable && choice.group.is_none() {
            why.unallocable.push(data.name.clone());
            continue;
        }
        if !choice.ignore_policy {
            let found = violations(&data.policy, &spec(instance));
            if !found.is_empty() {
                why.reasons.push((format!("group {}", data.name), Limit::Policy(found)));
                continue;
            }
        }
        let allowed = |node: &usize| choice.nodes.as_ref().is_none_or(|nodes| nodes.contains(node));
        let nodes: Vec<usize> = cluster.nodes.usable_in(group).filter(allowed).collect();
        let Some(placement) = best_in_group(cluster, instance, &nodes, group, &mut why) else { continue };
        let better = best.as_ref().is_none_or(|(policy, other)| {
            let rank = |policy: AllocPolicy| u8::from(policy != AllocPolicy::Preferred);
            (rank(data.alloc_policy), rank(*policy)) == (0, 1)
                || (rank(data.alloc_policy) == rank(*policy) && placement.score < other.score - EPSILON)
        });
        if better {
            best = Some((data.alloc_policy, placement));
        }
    }
    best.map(|(_, placement)| placement).ok_or(why)
}

/// Finds another primary node for an instance on shared storage, in its group. `avoid` are nodes that it must not go to,
/// besides the one where it is.
///
/// When its node cannot be used any more, it is saved at any price: only memory counts.
///
/// # Errors
/// [`NoPlace`] with what stands in the way on each node.
///
/// # Panics
/// When there is no such instance.
pub fn relocate(cluster: &Cluster, instance: usize, avoid: &[usize]) -> Result<Placement, NoPlace> {
    let moving = cluster.instances[instance].clone();
    let group = cluster.nodes.group(moving.primary);
    let forced = !cluster.nodes.is_usable(moving.primary);
    let mut without = cluster.clone();
    without.nodes.remove_primary(&moving, &cluster.exclusion_prefixes);
    without.instances.remove(instance);
    let nodes = without.nodes.usable_in(group).filter(|&node| node != moving.primary && !avoid.contains(&node));
    let mut why = NoPlace::default();
    let metric = Metric::of(&without, None);
    let mut places = Vec::new();
    for node in nodes {
        match check_primary(&without, &moving, node, forced) {
            Ok(load) => places.push(Placement { primary: node, secondary: None, score: metric.score_with(&without, &[(node, load)]) }),
            Err(limit) => why.reasons.push((without.nodes.name(node).to_owned(), limit)),
        }
    }
    sort(&without, &mut places);
    places.into_iter().next().ok_or(why)
}

/// What a policy looks at in an instance.
fn spec(instance: &Instance) -> InstanceSpec {
    InstanceSpec {
        memory_mib: Some(instance.memory_mib),
        vcpus: Some(instance.vcpus),
        nic_count: Some(instance.nic_count),
        spindle_use: Some(instance.spindle_use),
        disks: instance.disks_mib.iter().map(|size| (instance.template, *size)).collect(),
    }
}

fn best_in_group(cluster: &Cluster, instance: &Instance, nodes: &[usize], group: usize, why: &mut NoPlace) -> Option<Placement> {
    let mut places = match instance.mirror() {
        Mirror::Internal => pairs(cluster, instance, nodes, why),
        Mirror::None | Mirror::External => singles(cluster, instance, nodes, why),
    };
    sort(cluster, &mut places);
    // The redundancy of the whole group is dear to compute: from the best place on, until one keeps it.
    let before = redundancy::failing(cluster, group, None);
    for place in places {
        let worse = redundancy::failing(cluster, group, Some((instance, place.primary)));
        // Ganeti refuses as soon as any node fails; here only if this placement is what makes it fail.
        match worse.into_iter().find(|node| !before.contains(node)) {
            None => return Some(place),
            Some(node) => {
                let failing = cluster.nodes.name(node).to_owned();
                why.reasons.push((cluster.nodes.name(place.primary).to_owned(), Limit::Redundancy { failing }));
            }
        }
    }
    None
}

fn singles(cluster: &Cluster, instance: &Instance, nodes: &[usize], why: &mut NoPlace) -> Vec<Placement> {
    let metric = Metric::of(cluster, None);
    let mut places = Vec::new();
    for &node in nodes {
        match check_primary(cluster, instance, node, false) {
            Ok(load) => places.push(Placement { primary: node, secondary: None, score: metric.score_with(cluster, &[(node, load)]) }),
            Err(limit) => why.reasons.push((cluster.nodes.name(node).to_owned(), limit)),
        }
    }
    places
}

fn pairs(cluster: &Cluster, instance: &Instance, nodes: &[usize], why: &mut NoPlace) -> Vec<Placement> {
    let metric = Metric::of(cluster, None);
    let mut places = Vec::new();
    for &primary in nodes {
        let on_primary = match check_primary(cluster, instance, primary, false) {
            Ok(load) => load,
            Err(limit) => {
                why.reasons.push((cluster.nodes.name(primary).to_owned(), limit));
                continue;
            }
        };
        for &secondary in nodes.iter().filter(|&&node| node != primary) {
            match check_secondary(cluster, instance, primary, secondary) {
                Ok(on_secondary) => {
                    let score = metric.score_with(cluster, &[(primary, on_primary), (secondary, on_secondary)]);
                    places.push(Placement { primary, secondary: Some(secondary), score });
                }
                Err(limit) => {
                    let pair = format!("{} with {}", cluster.nodes.name(primary), cluster.nodes.name(secondary));
                    why.reasons.push((pair, limit));
                }
            }
        }
    }
    places
}

/// The best first. Scores are put into bins first, so that the order is one even where rounding differs.
fn sort(cluster: &Cluster, places: &mut [Placement]) {
    let bin = |score: f64| if score.is_finite() { (score / EPSILON).round() } else { f64::MAX };
    let names = |place: &Placement| (cluster.nodes.name(place.primary), place.secondary.map(|node| cluster.nodes.name(node)));
    places.sort_by(|a, b| bin(a.score).total_cmp(&bin(b.score)).then_with(|| names(a).cmp(&names(b))));
}

/// Whether the primary can be on `node`; the load with it. The order of the checks is that of Ganeti's htools.
fn check_primary(cluster: &Cluster, instance: &Instance, node: usize, forced: bool) -> Result<Load, Limit> {
    let nodes = &cluster.nodes;
    let now = nodes.load(node);
    let load = nodes.with_primary(node, instance, &cluster.exclusion_prefixes);
    if instance.uses_memory && load.unallocated <= 0 {
        return Err(Limit::Memory { needed: instance.memory_mib, unallocated: now.unallocated });
    }
    if instance.node_disk_mib() > 0 && load.free_disk <= 0 {
        return Err(Limit::Disk { needed: instance.node_disk_mib(), free: now.free_disk });
    }
    if forced {
        return Ok(load);
    }
    check_spindles(cluster, node, &now, &load)?;
    if load.fails_n1() && !now.fails_n1() {
        return Err(Limit::Reserved { unallocated: load.unallocated, reserved: load.reserved });
    }
    let allowed = cluster.groups[nodes.group[node]].policy.vcpu_ratio * nodes.cpus[node] as f64;
    if load.vcpus as f64 > allowed {
        return Err(Limit::Cpu { vcpus: load.vcpus, allowed });
    }
    match instance.exclusion_tags(&cluster.exclusion_prefixes).find(|tag| nodes.exclusion[node].contains_key(*tag)) {
        Some(tag) => Err(Limit::ExclusionTag(tag.to_owned())),
        None => Ok(load),
    }
}

fn check_secondary(cluster: &Cluster, instance: &Instance, primary: usize, node: usize) -> Result<Load, Limit> {
    let now = cluster.nodes.load(node);
    let load = cluster.nodes.with_secondary(node, instance, primary);
    if load.free_disk <= 0 {
        return Err(Limit::Disk { needed: instance.node_disk_mib(), free: now.free_disk });
    }
    check_spindles(cluster, node, &now, &load)?;
    if load.fails_n1() && !now.fails_n1() {
        return Err(Limit::Reserved { unallocated: load.unallocated, reserved: load.reserved });
    }
    Ok(load)
}

fn check_spindles(cluster: &Cluster, node: usize, now: &Load, load: &Load) -> Result<(), Limit> {
    let allowed = cluster.groups[cluster.nodes.group[node]].policy.spindle_ratio * cluster.nodes.spindles[node] as f64;
    if load.spindle_use > now.spindle_use && load.spindle_use as f64 > allowed {
        return Err(Limit::Spindles { used: load.spindle_use, allowed });
    }
    Ok(())
}
