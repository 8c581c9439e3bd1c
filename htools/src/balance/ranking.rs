//! Finds those candidates among which the best one must be, by cheap scores, and looks at no instance that cannot have it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::Options;
use super::candidate::order;
use super::frame::Near;
use super::memo::Memo;
use super::rank::Moment;
use super::sweep::{Sink, Sweep};
use super::table::Table;
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::moves::Move;
use crate::score::Board;
use crate::state::State;

/// Cheap scores of a group and what was learned by them.
#[derive(Debug)]
pub(super) struct Ranking {
    table: Table,
    /// One per step.
    moments: Vec<Moment>,
    /// One per instance of the cluster.
    memos: Vec<Memo>,
    own: Vec<i64>,
}

/// The candidates that came closest so far.
struct Finalists<'a> {
    cluster: &'a Cluster,
    state: &'a State,
    force: bool,
    id: InstanceId,
    /// How far two equal scores can seem apart.
    margin: f64,
    best: f64,
    found: Vec<(f64, InstanceId, Move)>,
}

impl Sink for Finalists<'_> {
    fn least(&self) -> f64 {
        self.best - self.margin
    }

    fn take(&mut self, chosen: Move, gain: f64, tried: bool) -> bool {
        if !tried && self.state.trial(self.cluster, self.id, chosen, self.force).is_err() {
            return false;
        }
        self.best = self.best.max(gain);
        self.found.push((gain, self.id, chosen));
        true
    }
}

/// An instance with what it gains at most; the one with the most is the largest.
struct Bounded(f64, InstanceId);

impl Ord for Bounded {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
    }
}

impl PartialOrd for Bounded {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Bounded {}

/// For what is only to be remembered.
struct Nowhere;

impl Sink for Nowhere {
    fn least(&self) -> f64 {
        f64::INFINITY
    }

    fn take(&mut self, _: Move, _: f64, _: bool) -> bool {
        true
    }
}

impl Ranking {
    pub(super) fn new(cluster: &Cluster, state: &State, board: &Board, instances: usize) -> Self {
        let table = Table::new(cluster, state, board);
        let moments = vec![table.ranks.now];
        Self { table, moments, memos: vec![Memo::default(); instances], own: vec![0; cluster.nodes.len()] }
    }

    /// Candidates that gain more than `enough`, copy no more than `copies` GiB, and are so close to the best that only their scores can tell which it is, in the
    /// order in which ties are decided; `None` when cheap scores say nothing.
    pub(super) fn finalists(
        &mut self,
        cluster: &Cluster,
        state: &State,
        board: &Board,
        options: &Options,
        movable: &[InstanceId],
        (enough, copies): (f64, f64),
    ) -> Option<Vec<(InstanceId, Move)>> {
        if !self.table.is_sound() {
            return None;
        }
        let (now, moment) = (self.table.ranks.now, self.moments.len() - 1);
        let tolerance = self.table.ranks.tolerance(&now);
        let bound = |id: &InstanceId| {
            let memo = &self.memos[id.at()];
            let Some(then) = memo.moment.map(|then| &self.moments[then]) else { return f64::INFINITY };
            memo.bound(then, &now) + self.table.ranks.tolerance(then) + tolerance
        };
        // Few of them are taken out again.
        let mut queue: BinaryHeap<Bounded> = movable.iter().map(|id| Bounded(bound(id), *id)).collect();
        let mut finalists = Finalists {
            cluster,
            state,
            force: options.ignore_soft_errors,
            id: InstanceId::new(0),
            margin: 2.0 * tolerance,
            best: enough,
            found: Vec::new(),
        };
        let mut sweep = Sweep { cluster, state, board, table: &self.table, options, copies, own: &mut self.own };
        while let Some(Bounded(bound, id)) = queue.pop() {
            if bound < finalists.least() {
                break;
            }
            finalists.id = id;
            let memo = &mut self.memos[id.at()];
            memo.begin(moment);
            sweep.run(id, &now, None, memo, &mut finalists);
        }
        let least = finalists.least();
        let mut found: Vec<(InstanceId, Move)> =
            finalists.found.into_iter().filter(|(gain, ..)| *gain >= least).map(|(_, id, chosen)| (id, chosen)).collect();
        found.sort_unstable_by_key(|(id, chosen)| (*id, order(*chosen)));
        Some(found)
    }

    /// Takes over a step: what instances on the changed nodes could do is forgotten, what others could do to these nodes is
    /// judged anew.
    pub(super) fn refresh(
        &mut self,
        cluster: &Cluster,
        state: &State,
        board: &Board,
        options: &Options,
        instances: &[InstanceId],
        changed: &[NodeId],
    ) {
        self.table.refresh(cluster, state, board, changed);
        self.moments.push(self.table.ranks.now);
        let near = |node: &NodeId| self.table.place(*node).map(|at| (at, Near::new(cluster, state, *node)));
        let targets: Vec<(usize, Near)> = changed.iter().filter_map(near).collect();
        let sound = self.table.is_sound();
        let mut sweep = Sweep { cluster, state, board, table: &self.table, options, copies: f64::INFINITY, own: &mut self.own };
        for id in instances {
            let memo = &mut self.memos[id.at()];
            let Some(then) = memo.moment else { continue };
            let on_changed =
                changed.contains(&state.primary[id.at()]) || state.secondary[id.at()].is_some_and(|node| changed.contains(&node));
            // Pairs of locations and tags are counted over the whole group.
            let paired = self.table.located && !cluster.instance(*id).exclusion.is_empty();
            if on_changed || paired || !sound {
                memo.moment = None;
                continue;
            }
            targets.iter().for_each(|(target, _)| memo.forget(*target));
            sweep.run(*id, &self.moments[then], Some(&targets), memo, &mut Nowhere);
        }
    }
}
