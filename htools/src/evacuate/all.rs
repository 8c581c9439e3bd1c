//! Both nodes of an instance with drbd: it gets a new secondary node, fails over there, and gets another secondary node.

use super::pairs;
use crate::cluster::Cluster;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::moves::Move;
use crate::score::{Best, Board};
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
    let mut trial = Trial { cluster, state, id, force, done: Vec::new() };
    let board = Board::new(cluster, trial.state, cluster.nodes_of(group).collect());
    let finalists = pairs::finalists(&mut trial, &board, targets);
    let best = match finalists {
        Some(finalists) => best_of(&mut trial, board, finalists.into_iter()),
        None => best_of(&mut trial, board, every(targets)),
    };
    let Some([p, s]) = best else {
        return Err(format!("Can't find any good nodes for relocation: {}", reason(&mut trial, targets)));
    };
    trial.begin(p)?;
    let moves: Vec<Move> = trial.done.iter().map(|(_, made)| *made).collect();
    let last = Move::ReplaceSecondary(s);
    trial.state.try_move(cluster, id, last, force).map_err(|mode| mode.to_string())?;
    Ok(moves.into_iter().chain([last]).collect())
}

/// All pairs, in the order in which ties are decided.
fn every(targets: &[NodeId]) -> impl Iterator<Item = [NodeId; 2]> + '_ {
    targets.iter().flat_map(|p| targets.iter().filter(move |s| *s != p).map(|s| [*p, *s]))
}

/// The last pair with the lowest score among those that are possible.
fn best_of(trial: &mut Trial<'_>, mut board: Board, pairs: impl Iterator<Item = [NodeId; 2]>) -> Option<[NodeId; 2]> {
    let mut best = Best::default();
    let mut begun = None;
    for [p, s] in pairs {
        if begun.is_none_or(|(old, _)| old != p) {
            trial.back();
            begun = Some((p, trial.begin(p).is_ok()));
            board.refresh(trial.cluster, trial.state);
        }
        if begun == Some((p, true))
            && let Ok(after) = trial.state.trial(trial.cluster, trial.id, Move::ReplaceSecondary(s), trial.force)
        {
            best.take(board.score_after(trial.cluster, trial.state, trial.id, &after), [p, s]);
        }
    }
    trial.back();
    best.found()
}

/// Why the last pair that has a reason is not possible, when none is.
fn reason(trial: &mut Trial<'_>, targets: &[NodeId]) -> String {
    for p in targets.iter().rev() {
        let begun = trial.begin(*p);
        let last = targets.iter().rev().find(|s| *s != p).copied();
        let tried = match (begun, last) {
            (Err(why), Some(_)) => Some(why),
            (Ok(()), Some(s)) => trial
                .state
                .trial(trial.cluster, trial.id, Move::ReplaceSecondary(s), trial.force)
                .err()
                .map(|mode| format!("Changing secondary to final secondary: {mode}")),
            (_, None) => None,
        };
        trial.back();
        if let Some(why) = tried {
            return format!("Allocation failed: {why}");
        }
    }
    "no nodes available".to_owned()
}

/// An instance on its way to a pair of nodes.
pub(super) struct Trial<'a> {
    pub cluster: &'a Cluster,
    pub state: &'a mut State,
    pub id: InstanceId,
    pub force: bool,
    done: Vec<(Undo, Move)>,
}

impl Trial<'_> {
    /// Brings the primary to `p`; an offline one fails over first.
    pub(super) fn begin(&mut self, p: NodeId) -> Result<(), String> {
        if self.cluster.node(self.state.primary[self.id.at()]).offline {
            self.make(Move::Failover, "Failing over to the secondary")?;
        }
        self.make(Move::ReplaceSecondary(p), "Changing secondary to new primary")?;
        self.make(Move::Failover, "Failing over to new primary")
    }

    fn make(&mut self, chosen: Move, what: &str) -> Result<(), String> {
        let undo = self.state.try_move(self.cluster, self.id, chosen, self.force).map_err(|mode| format!("{what}: {mode}"))?;
        self.done.push((undo, chosen));
        Ok(())
    }

    /// Takes back what was begun.
    pub(super) fn back(&mut self) {
        while let Some((undo, _)) = self.done.pop() {
            self.state.undo(undo);
        }
    }
}
