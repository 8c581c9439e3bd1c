//! Both nodes of an instance with drbd: it gets a new secondary node, fails over there, and gets another secondary node.

use std::cmp::Ordering;

use crate::cluster::Cluster;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::moves::Move;
use crate::score::Board;
use crate::state::{State, Undo};

/// Tries all pairs of `targets`; the last of equals wins.
///
/// # Errors
/// Why the last pair is not possible, when none is.
pub(super) fn go(
    cluster: &Cluster,
    state: &mut State,
    id: InstanceId,
    force: bool,
    group: GroupId,
    targets: &[NodeId],
) -> Result<Vec<Move>, String> {
    let nodes: Vec<NodeId> = cluster.nodes_of(group).collect();
    let mut board = Board::new(cluster, state, nodes);
    let mut best: Option<(f64, [NodeId; 2])> = None;
    let mut reason = "no nodes available".to_owned();
    for p in targets {
        let mut done = Vec::new();
        match begin(cluster, state, id, force, *p, &mut done) {
            Err(why) if targets.len() > 1 => reason = format!("Allocation failed: {why}"),
            Err(_) => {}
            Ok(()) => {
                board.refresh(cluster, state);
                for s in targets.iter().filter(|s| *s != p) {
                    match state.trial(cluster, id, Move::ReplaceSecondary(*s), force) {
                        Err(mode) => reason = format!("Allocation failed: Changing secondary to final secondary: {mode}"),
                        Ok(trial) => {
                            let score = board.score_after(cluster, state, id, &trial);
                            if best.is_none_or(|(old, _)| old.partial_cmp(&score) != Some(Ordering::Less)) {
                                best = Some((score, [*p, *s]));
                            }
                        }
                    }
                }
            }
        }
        while let Some((undo, _)) = done.pop() {
            state.undo(undo);
        }
    }
    let Some((_, [p, s])) = best else { return Err(format!("Can't find any good nodes for relocation: {reason}")) };
    let mut done = Vec::new();
    begin(cluster, state, id, force, p, &mut done)?;
    let last = Move::ReplaceSecondary(s);
    state.try_move(cluster, id, last, force).map_err(|mode| mode.to_string())?;
    Ok(done.into_iter().map(|(_, made)| made).chain([last]).collect())
}

/// Brings the primary to `p`; an offline one fails over first.
fn begin(cluster: &Cluster, state: &mut State, id: InstanceId, force: bool, p: NodeId, done: &mut Vec<(Undo, Move)>) -> Result<(), String> {
    let offline = cluster.node(state.primary[id.at()]).offline;
    let mut make = |chosen: Move, what: &str| {
        let undo = state.try_move(cluster, id, chosen, force).map_err(|mode| format!("{what}: {mode}"))?;
        done.push((undo, chosen));
        Ok::<(), String>(())
    };
    if offline {
        make(Move::Failover, "Failing over to the secondary")?;
    }
    make(Move::ReplaceSecondary(p), "Changing secondary to new primary")?;
    make(Move::Failover, "Failing over to new primary")
}
