//! Evacuation played through on a copy of the state, which is the same again afterwards.

use super::loss::Fate;
use super::scope::{Scope, goes_elsewhere};
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::moves::Move;
use crate::score::{Best, Board};
use crate::state::{Limits, State, Step, Undo};

/// A copy of the state to play on.
#[derive(Debug)]
pub(super) struct Played {
    pub state: State,
    scope: Scope,
}

impl Played {
    pub(super) fn new(state: State, scope: Scope) -> Self {
        Self { state, scope }
    }

    /// Whether all primaries of a node find another one.
    pub(super) fn can_evacuate(&mut self, cluster: &Cluster, node: NodeId) -> bool {
        let mut done = Vec::new();
        let possible = self.evacuate(cluster, node, &mut done).is_some();
        while let Some(undo) = done.pop() {
            self.state.undo(undo);
        }
        possible
    }

    /// Whether all primaries of these nodes whose disks are left find room when they are lost together.
    pub(super) fn can_lose(&mut self, cluster: &Cluster, lost: &[NodeId]) -> bool {
        self.lose(cluster, lost).iter().all(|(_, fate)| *fate != Fate::Stranded)
    }

    /// What becomes of the primaries of these nodes when they are lost together: failed over, started on the best of the other
    /// online nodes, or made anew there.
    pub(super) fn lose(&mut self, cluster: &Cluster, lost: &[NodeId]) -> Vec<(InstanceId, Fate)> {
        let mut done = Vec::new();
        let mut fates = Vec::new();
        for node in lost {
            self.lose_one(cluster, *node, lost, &mut fates, &mut done);
        }
        while let Some(undo) = done.pop() {
            self.state.undo(undo);
        }
        fates
    }

    fn lose_one(&mut self, cluster: &Cluster, node: NodeId, lost: &[NodeId], fates: &mut Vec<(InstanceId, Fate)>, done: &mut Vec<Undo>) {
        let group = cluster.node(node).group;
        let in_group: Vec<NodeId> = self.scope.nodes.iter().copied().filter(|id| cluster.node(*id).group == group).collect();
        let targets: Vec<NodeId> = in_group.iter().copied().filter(|id| !lost.contains(id) && !cluster.node(*id).offline).collect();
        let mut here = self.state.primaries[node.at()].clone();
        here.retain(|id| self.scope.minds(cluster.instance(*id)));
        here.sort_by_key(|id| std::cmp::Reverse(cluster.instance(*id).memory));
        let mut board = Board::new(cluster, &self.state, in_group);
        for id in here {
            let instance = cluster.instance(id);
            let found = if instance.has_secondary() {
                let Some(second) = self.state.secondary[id.at()].filter(|second| !lost.contains(second)) else {
                    fates.push((id, Fate::Gone));
                    continue;
                };
                self.state.try_move(cluster, id, Move::Failover, true).ok().map(|undo| (undo, second))
            } else if goes_elsewhere(instance.template) {
                self.move_away(cluster, &mut board, &targets, id).map(|undo| (undo, self.state.primary[id.at()]))
            } else {
                self.make_anew(cluster, &mut board, &targets, id)
            };
            match found {
                Some((undo, to)) => {
                    fates.push((id, Fate::Moved(to)));
                    done.push(undo);
                }
                None => fates.push((id, Fate::Stranded)),
            }
            board.refresh(cluster, &self.state);
        }
    }

    fn evacuate(&mut self, cluster: &Cluster, node: NodeId, done: &mut Vec<Undo>) -> Option<()> {
        let minds = |id: &InstanceId| self.scope.minds(cluster.instance(*id));
        let all: Vec<InstanceId> = self.state.primaries[node.at()].iter().copied().filter(minds).collect();
        let (mirrored, others): (Vec<InstanceId>, Vec<InstanceId>) = all.into_iter().partition(|id| cluster.instance(*id).has_secondary());
        let (movable, mut fixed): (Vec<InstanceId>, Vec<InstanceId>) =
            others.into_iter().partition(|id| goes_elsewhere(cluster.instance(*id).template));
        for id in mirrored {
            done.push(self.state.try_move(cluster, id, Move::Failover, true).ok()?);
        }
        let group = cluster.node(node).group;
        let in_group: Vec<NodeId> = self.scope.nodes.iter().copied().filter(|id| cluster.node(*id).group == group).collect();
        let targets: Vec<NodeId> = in_group.iter().copied().filter(|id| *id != node).collect();
        if !movable.is_empty() {
            let mut board = Board::new(cluster, &self.state, in_group);
            for id in movable {
                done.push(self.move_away(cluster, &mut board, &targets, id)?);
                board.refresh(cluster, &self.state);
            }
        }
        if !fixed.is_empty() {
            let mut board = Board::new(cluster, &self.state, self.scope.nodes.clone());
            fixed.sort_by_key(|id| std::cmp::Reverse(cluster.instance(*id).memory));
            for id in fixed {
                done.push(self.make_anew(cluster, &mut board, &targets, id)?.0);
                board.refresh(cluster, &self.state);
            }
        }
        Some(())
    }

    /// To the best of the nodes, the last of equals.
    fn move_away(&mut self, cluster: &Cluster, board: &mut Board, targets: &[NodeId], id: InstanceId) -> Option<Undo> {
        let mut best = Best::default();
        for target in targets {
            let chosen = Move::FailoverToAny(*target);
            let Ok(trial) = self.state.trial(cluster, id, chosen, true) else { continue };
            best.take(board.score_after(cluster, &self.state, id, &trial), chosen);
        }
        self.state.try_move(cluster, id, best.found()?, true).ok()
    }

    /// A second one on the best of the nodes, the last of equals; the first one stays where it is.
    fn make_anew(&mut self, cluster: &Cluster, board: &mut Board, targets: &[NodeId], id: InstanceId) -> Option<(Undo, NodeId)> {
        let instance = cluster.instance(id);
        let shared = self.state.shared[id.at()];
        let mut found = Vec::new();
        for target in targets {
            let node = cluster.node(*target);
            if cluster.group(node.group).policy.check(instance, node.exclusive_storage).is_err() {
                continue;
            }
            let Ok(usage) = self.state.with_primary(cluster, *target, instance, shared, Limits::Hard) else { continue };
            let score = board.score_if(cluster, &self.state, instance, &[(*target, usage)], (None, *target));
            found.push((score, (*target, usage)));
        }
        let (target, usage) = crate::allocate::first_of(&found)?;
        let undo = self.state.remember(id, [target]);
        self.state.list(cluster, id, Step::AddPrimary(target));
        self.state.usage[target.at()] = usage;
        Some((undo, target))
    }
}
