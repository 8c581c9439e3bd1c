//! One instance.

use gannet_core::param::DiskTemplate;

use super::{Mode, all};
use crate::cluster::Cluster;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::instance::Mirror;
use crate::moves::Move;
use crate::score::{Best, Board};
use crate::state::State;

/// Where it goes: the best of `targets`, nodes of `group`, by the score of that group.
///
/// # Errors
/// Why it cannot go anywhere.
pub(super) fn go(
    cluster: &Cluster,
    state: &mut State,
    id: InstanceId,
    mode: Mode,
    force: bool,
    (group, targets): (GroupId, &[NodeId]),
) -> Result<Vec<Move>, String> {
    let template = cluster.instance(id).template;
    // A request may name an instance twice, and then it may already be on one of the targets: that would be no move.
    let here = state.primary[id.at()];
    let targets: Vec<NodeId> = targets.iter().copied().filter(|target| *target != here).collect();
    let targets = targets.as_slice();
    match (template, mode) {
        (DiskTemplate::Plain | DiskTemplate::File, _) => Err(format!("Instances of type {template} cannot be relocated")),
        (DiskTemplate::Drbd, Mode::Primary) => {
            state.try_move(cluster, id, Move::Failover, force).map_err(|mode| mode.to_string())?;
            Ok(vec![Move::Failover])
        }
        (DiskTemplate::Drbd, Mode::Secondary) => change_one(cluster, state, id, force, group, targets),
        (DiskTemplate::Drbd, Mode::All) => all::go(cluster, state, id, force, group, targets),
        (_, Mode::Secondary) => Err(format!("Instances with disk template '{template}' can't execute change secondary")),
        _ => change_one(cluster, state, id, force, group, targets),
    }
}

/// Changes the secondary node with drbd, else the only one; the last of equals wins.
fn change_one(
    cluster: &Cluster,
    state: &mut State,
    id: InstanceId,
    force: bool,
    group: GroupId,
    targets: &[NodeId],
) -> Result<Vec<Move>, String> {
    let make = match cluster.instance(id).mirror() {
        Mirror::None => return Err("Can't relocate/evacuate non-mirrored instances".to_owned()),
        Mirror::Internal => Move::ReplaceSecondary,
        Mirror::External => Move::FailoverToAny,
    };
    let mut board = Board::new(cluster, state, cluster.nodes_of(group).collect());
    let mut reasons = String::new();
    let mut best = Best::default();
    for target in targets {
        match state.trial(cluster, id, make(*target), force) {
            Err(mode) => reasons.push_str(&format!(" Node {} failed: {mode};", cluster.node(*target).name)),
            Ok(trial) => best.take(board.score_after(cluster, state, id, &trial), make(*target)),
        }
    }
    let Some(chosen) = best.found() else { return Err(format!("Can't find any good node: {reasons}")) };
    state.try_move(cluster, id, chosen, force).map_err(|mode| mode.to_string())?;
    Ok(vec![chosen])
}
