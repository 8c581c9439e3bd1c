//! Requests for several instances.

use super::{Evacuation, Mode, instance};
use crate::allocate::{self, Options, Refusal};
use crate::cluster::Cluster;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::instance::Mirror;
use crate::state::State;

/// Moves instances off their nodes within their groups. No instance goes to a node that any of them leaves.
#[must_use]
pub fn evacuate(cluster: &Cluster, state: &State, mode: Mode, ids: &[InstanceId], options: &Options) -> Evacuation {
    let mut excluded: Vec<bool> = cluster.nodes.iter().map(|node| node.offline).collect();
    for id in ids {
        let (primary, secondary) = (state.primary[id.at()], state.secondary[id.at()]);
        if mode != Mode::Secondary {
            excluded[primary.at()] = true;
        }
        if let Some(secondary) = secondary
            && mode != Mode::Primary
            && cluster.instance(*id).has_secondary()
        {
            excluded[secondary.at()] = true;
        }
    }
    let mut found = Evacuation::new(state.clone());
    for id in ids {
        let primary = state.primary[id.at()];
        let group = cluster.node(primary).group;
        let targets: Vec<NodeId> = cluster.nodes_of(group).filter(|node| *node != primary && !excluded[node.at()]).collect();
        let result = instance::go(cluster, &mut found.state, *id, mode, options.ignore_soft_errors, (group, &targets));
        found.add(cluster, *id, result);
    }
    found
}

/// Moves instances to other groups: to `targets`, or without any to those that none of them is in.
#[must_use]
pub fn change_group(cluster: &Cluster, state: &State, targets: &[GroupId], ids: &[InstanceId], options: &Options) -> Evacuation {
    let mut left: Vec<GroupId> = Vec::new();
    for id in ids {
        let group = cluster.node(state.primary[id.at()]).group;
        if !left.contains(&group) {
            left.push(group);
        }
    }
    let mut wanted: Vec<GroupId> = if targets.is_empty() { cluster.group_ids().collect() } else { targets.to_vec() };
    for group in left {
        if let Some(at) = wanted.iter().position(|other| *other == group) {
            wanted.remove(at);
        }
    }
    let mut found = Evacuation::new(state.clone());
    for id in ids {
        let result = to_group(cluster, &mut found.state, *id, &wanted, options);
        found.add(cluster, *id, result);
    }
    found
}

fn to_group(
    cluster: &Cluster,
    state: &mut State,
    id: InstanceId,
    wanted: &[GroupId],
    options: &Options,
) -> Result<Vec<crate::Move>, String> {
    let count = if cluster.instance(id).has_secondary() { 2 } else { 1 };
    let (group, ..) = allocate::best_group(cluster, state, id, Some(wanted), count, options).map_err(|refusal| refusal.to_string())?;
    let nodes: Vec<NodeId> = cluster.nodes_of(group).filter(|node| !cluster.node(*node).offline).collect();
    instance::go(cluster, state, id, Mode::All, false, (group, &nodes))
}

/// Changes one node of an instance: the secondary one with drbd, with shared storage the only one. `from` must be that node.
///
/// # Errors
/// It cannot be moved; the message says why.
pub fn relocate(
    cluster: &Cluster,
    state: &State,
    id: InstanceId,
    count: i64,
    from: &[NodeId],
    options: &Options,
) -> Result<(State, NodeId), Refusal> {
    if count != 1 {
        return Err(Refusal(format!("Exchange {count} nodes mode is not implemented")));
    }
    let (expected, kind, mode) = match cluster.instance(id).mirror() {
        Mirror::None => return Err(Refusal::new("Can't relocate non-mirrored instances")),
        Mirror::Internal => (state.secondary[id.at()], "secondary", Mode::Secondary),
        Mirror::External => (Some(state.primary[id.at()]), "primary", Mode::Primary),
    };
    if expected.is_none_or(|expected| from != [expected]) {
        let number = |node: &NodeId| (node.at() + cluster.first_index).to_string();
        let expected = expected.map_or_else(|| "-1".to_owned(), |node| number(&node));
        let from: Vec<String> = from.iter().map(number).collect();
        return Err(Refusal(format!(
            "Unsupported request: excluded nodes not equal to instance's {kind}({expected} versus [{}])",
            from.join(",")
        )));
    }
    let found = evacuate(cluster, state, mode, &[id], options);
    if let Some((_, reason)) = found.failed.into_iter().next() {
        return Err(Refusal(reason));
    }
    let new = if mode == Mode::Secondary { found.state.secondary[id.at()] } else { Some(found.state.primary[id.at()]) };
    new.map(|node| (found.state, node)).ok_or_else(|| Refusal::new("Internal error: lost instance during move"))
}
