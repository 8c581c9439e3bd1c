//! In which group.

use super::{Options, Refusal, Solution, allocate, targets};
use crate::cluster::Cluster;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::instance::Instance;
use crate::show::haskell;
use crate::state::State;

/// In one group, as if there were no other.
///
/// # Errors
/// The group misses a network, or has no node to try.
pub fn in_group(
    cluster: &Cluster,
    state: &State,
    id: InstanceId,
    group: GroupId,
    count: i64,
    options: &Options,
) -> Result<(Solution, Vec<String>), Refusal> {
    connected(cluster, group, cluster.instance(id))?;
    let nodes: Vec<NodeId> = cluster.nodes_of(group).collect();
    let targets = targets(cluster, &nodes, count, options, false)?;
    let solution = allocate(cluster, state, id, &options.scope(nodes), &targets, options)?;
    let log = vec![told(cluster, group, &solution.description(cluster))];
    Ok((solution, log))
}

/// In the group of that name; with what is to be said of it.
///
/// # Errors
/// There is no such group, or nothing could be tried.
pub fn in_named_group(
    cluster: &Cluster,
    state: &State,
    id: InstanceId,
    name: &str,
    count: i64,
    options: &Options,
) -> Result<(Solution, Vec<String>), Refusal> {
    let group = cluster.find_group(name).map_err(|error| Refusal::new(error.to_string()))?;
    in_group(cluster, state, id, group, count, options)
}

/// In the best group, one of `allowed` if that is given; with what is to be said of all of them.
///
/// # Errors
/// No group takes the instance.
pub fn best_group(
    cluster: &Cluster,
    state: &State,
    id: InstanceId,
    allowed: Option<&[GroupId]>,
    count: i64,
    options: &Options,
) -> Result<(GroupId, Solution, Vec<String>), Refusal> {
    let populated = cluster.groups_with_nodes();
    let groups: Vec<GroupId> = populated.iter().copied().filter(|group| allowed.is_none_or(|allowed| allowed.contains(group))).collect();
    if groups.is_empty() {
        let allowed = allowed.map(|allowed| allowed.iter().map(|group| group.at().to_string()).collect::<Vec<_>>().join(","));
        let allowed = allowed.map_or_else(|| "Nothing".to_owned(), |allowed| format!("Just [{allowed}]"));
        let all: Vec<String> = populated.iter().map(|group| haskell::group(cluster, *group)).collect();
        return Err(Refusal(format!("no groups for evacuation: allowed groups was {allowed}, all groups: [{}]", all.join(","))));
    }
    let instance = cluster.instance(id);
    let mut log = Vec::new();
    let mut told_of = Vec::new();
    let mut good: Vec<(GroupId, Solution)> = Vec::new();
    for group in groups {
        if !has_networks(cluster, group, instance) {
            log.push(disconnected(cluster, group, instance));
            continue;
        }
        let nodes: Vec<NodeId> = cluster.nodes_of(group).collect();
        let found = targets(cluster, &nodes, count, options, false)
            .and_then(|targets| allocate(cluster, state, id, &options.scope(cluster.node_ids().collect()), &targets, options));
        match found {
            Err(refusal) => told_of.push(format!("Group {}: error {refusal}", cluster.group(group).name)),
            Ok(solution) => {
                told_of.push(told(cluster, group, &solution.description(cluster)));
                if solution.best.is_some() && cluster.group(group).is_allocable() {
                    good.push((group, solution));
                }
            }
        }
    }
    log.append(&mut told_of);
    first(cluster, good, |solution| solution.best.as_ref().map(|best| best.metric))
        .map(|(group, solution)| (group, solution, log.clone()))
        .ok_or_else(|| Refusal(log.join(", ")))
}

/// In the best of all groups; with what is to be said of it and the others.
///
/// # Errors
/// No group takes the instance.
pub fn in_any_group(
    cluster: &Cluster,
    state: &State,
    id: InstanceId,
    count: i64,
    options: &Options,
) -> Result<(Solution, Vec<String>), Refusal> {
    let (group, solution, mut log) = best_group(cluster, state, id, None, count, options)?;
    log.insert(0, selected(cluster, group));
    Ok((solution, log))
}

/// The first by allocation policy and metric; of equals the later group.
pub(super) fn first<M, K: PartialOrd>(
    cluster: &Cluster,
    mut good: Vec<(GroupId, Solution<M>)>,
    metric: impl Fn(&Solution<M>) -> Option<K>,
) -> Option<(GroupId, Solution<M>)> {
    good.reverse();
    let order = |(group, solution): &(GroupId, Solution<M>)| (cluster.group(*group).rank(), metric(solution));
    good.sort_by(|a, b| order(a).partial_cmp(&order(b)).unwrap_or(std::cmp::Ordering::Greater));
    good.into_iter().next()
}

pub(super) fn selected(cluster: &Cluster, group: GroupId) -> String {
    format!("Selected group: {}", cluster.group(group).name)
}

pub(super) fn told(cluster: &Cluster, group: GroupId, what: &str) -> String {
    let group = cluster.group(group);
    format!("Group {} ({}): {what}", group.name, group.alloc_policy)
}

fn has_networks(cluster: &Cluster, group: GroupId, instance: &Instance) -> bool {
    let networks = &cluster.group(group).networks;
    instance.nics.iter().flatten().all(|network| networks.contains(network))
}

fn disconnected(cluster: &Cluster, group: GroupId, instance: &Instance) -> String {
    format!("group {} is not connected to a network required by instance {}", cluster.group(group).name, instance.name)
}

pub(super) fn connected(cluster: &Cluster, group: GroupId, instance: &Instance) -> Result<(), Refusal> {
    if has_networks(cluster, group, instance) {
        return Ok(());
    }
    Err(Refusal(format!("The {}", disconnected(cluster, group, instance))))
}
