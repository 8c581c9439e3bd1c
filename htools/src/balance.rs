//! Which moves make a group more even: a greedy search, one move at a time, each the best of all.

mod candidate;
mod chord;
mod frame;
mod improve;
mod memo;
mod pass;
pub(crate) mod rank;
mod ranking;
mod sweep;
mod table;

use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::job::Planned;
use crate::moves::Move;
use crate::score::{Board, Weights};
use crate::state::State;
use candidate::Best;
pub use improve::{Effort, improve};
use ranking::Ranking;

/// What a search may do, and when it stops.
#[derive(Debug, Clone)]
pub struct Options {
    /// Disks may be copied to other nodes.
    pub disk_moves: bool,
    /// Instances may be migrated or failed over.
    pub instance_moves: bool,
    /// Instances on good nodes are not migrated.
    pub restricted_migration: bool,
    /// Soft limits do not count.
    pub ignore_soft_errors: bool,
    /// Only instances on offline nodes move.
    pub evacuate: bool,
    /// The least gain of a step, once the score is at most [`Self::min_gain_limit`].
    pub min_gain: f64,
    /// See [`Self::min_gain`].
    pub min_gain_limit: f64,
    /// At most so many moves; negative: any number.
    pub max_length: i64,
    /// What the components of the score count.
    pub weights: Weights,
    /// What copying one GiB must gain.
    pub price: f64,
    /// At most so much is copied, in GiB.
    pub max_copied: f64,
    /// Every candidate is scored in full, as the reference does it: slow, and the same plan.
    pub plain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            disk_moves: true,
            instance_moves: true,
            restricted_migration: false,
            ignore_soft_errors: false,
            evacuate: false,
            min_gain: 1e-2,
            min_gain_limit: 1e-1,
            max_length: -1,
            weights: Weights::default(),
            price: 0.0,
            max_copied: f64::INFINITY,
            plain: false,
        }
    }
}

/// A search in one group.
#[derive(Debug)]
pub struct Search<'a> {
    cluster: &'a Cluster,
    state: &'a mut State,
    options: &'a Options,
    board: Board,
    /// `None` when cheap scores would say nothing.
    ranking: Option<Ranking>,
    /// Instances of the group, in index order.
    instances: Vec<InstanceId>,
    /// The score now.
    score: f64,
    made: usize,
    /// What was copied, in GiB.
    copied: f64,
    /// Instances that stay where they are.
    resting: Vec<InstanceId>,
}

impl<'a> Search<'a> {
    /// A search among `nodes`, in index order, for the instances whose primary is among them. It moves them in `state`.
    #[must_use]
    pub fn new(cluster: &'a Cluster, state: &'a mut State, nodes: Vec<NodeId>, options: &'a Options) -> Self {
        let mut inside = vec![false; cluster.nodes.len()];
        nodes.iter().for_each(|node| inside[node.at()] = true);
        let instances = cluster.instance_ids().filter(|id| inside[state.primary[id.at()].at()]).collect();
        let board = Board::weighted(cluster, state, nodes, options.weights.clone());
        let score = board.score();
        let ranking = (!options.plain).then(|| Ranking::new(cluster, state, &board, cluster.instances.len()));
        Self { cluster, state, options, board, ranking, instances, score, made: 0, copied: 0.0, resting: Vec::new() }
    }

    /// The score now.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.score
    }

    /// Makes the best move, if there is one worth making and more are allowed, and the score is above `enough`.
    pub fn step(&mut self, enough: f64) -> Option<Planned> {
        let may_go_on = usize::try_from(self.options.max_length).is_ok_and(|most| self.made < most) || self.options.max_length < 0;
        if !may_go_on || self.score.partial_cmp(&enough) != Some(std::cmp::Ordering::Greater) {
            return None;
        }
        let best = self.best()?;
        let worth = self.score > self.options.min_gain_limit || self.score - best.cost >= self.options.min_gain;
        worth.then(|| self.make(&best))
    }

    /// Makes this move, if the search could have made it here, whatever it gains.
    fn repeat(&mut self, id: InstanceId, chosen: Move) -> Option<Planned> {
        if !self.may_move(id) || !candidate::moves(self.cluster, self.state, &self.board, self.options, id).any(|other| other == chosen) {
            return None;
        }
        let best = self.first_below(vec![(id, chosen)], f64::INFINITY)?;
        Some(self.make(&best))
    }

    /// The best of all candidates: the first with the lowest score below the present one. It may be missing when none gains enough.
    fn best(&mut self) -> Option<Best> {
        let movable: Vec<InstanceId> = self.instances.iter().copied().filter(|id| self.may_move(*id)).collect();
        // Above the limit any gain is enough.
        let enough = if self.score > self.options.min_gain_limit { 0.0 } else { self.options.min_gain.max(0.0) };
        let copies = self.copies_left();
        let found = match &mut self.ranking {
            Some(ranking) => ranking.finalists(self.cluster, self.state, &self.board, self.options, &movable, (enough, copies)),
            None => None,
        };
        let Some(finalists) = found else { return self.best_of_all(&movable) };
        self.first_below(finalists, self.score)
    }

    fn best_of_all(&mut self, movable: &[InstanceId]) -> Option<Best> {
        let (cluster, options) = (self.cluster, self.options);
        let mut best: Option<Best> = None;
        for id in movable {
            let moves: Vec<_> = candidate::moves(cluster, self.state, &self.board, options, *id).map(|chosen| (*id, chosen)).collect();
            let bar = best.as_ref().map_or(self.score, |best| best.cost);
            best = self.first_below(moves, bar).or(best);
        }
        best
    }

    /// The first of the candidates with the lowest score, if that is below `bar`.
    fn first_below(&mut self, candidates: Vec<(InstanceId, Move)>, bar: f64) -> Option<Best> {
        let mut best: Option<Best> = None;
        for (id, chosen) in candidates {
            let gib = chosen.copied_gib(self.cluster.instance(id));
            if gib > self.copies_left() {
                continue;
            }
            let Ok(trial) = self.state.trial(self.cluster, id, chosen, self.options.ignore_soft_errors) else { continue };
            let score = self.board.score_after(self.cluster, self.state, id, &trial);
            let cost = score + self.options.price * gib;
            if cost < best.as_ref().map_or(bar, |best| best.cost) {
                best = Some(Best { instance: id, chosen, trial, score, cost });
            }
        }
        best
    }

    fn may_move(&self, id: InstanceId) -> bool {
        let instance = self.cluster.instance(id);
        let leaves = || self.state.nodes_of(self.cluster, id).any(|node| self.board.is_offline(node));
        instance.movable && instance.auto_balance && !self.resting.contains(&id) && (!self.options.evacuate || leaves())
    }

    fn copies_left(&self) -> f64 {
        self.options.max_copied - self.copied
    }

    fn make(&mut self, best: &Best) -> Planned {
        let at = best.instance.at();
        let old = (self.state.primary[at], self.state.secondary[at]);
        self.state.apply(self.cluster, best.instance, best.chosen, &best.trial);
        let changed: Vec<NodeId> = best.trial.touched().iter().map(|(node, _)| *node).collect();
        self.board.refresh_some(self.cluster, self.state, changed.iter().copied());
        if let Some(ranking) = &mut self.ranking {
            ranking.refresh(self.cluster, self.state, &self.board, self.options, &self.instances, &changed);
        }
        self.score = best.score;
        self.made += 1;
        self.copied += best.chosen.copied_gib(self.cluster.instance(best.instance));
        Planned { instance: best.instance, chosen: best.chosen, old, new: (best.trial.primary, best.trial.secondary), score: best.score }
    }
}

/// Makes moves until none is worth it, and gives them back.
pub fn run(cluster: &Cluster, state: &mut State, nodes: Vec<NodeId>, options: &Options, enough: f64) -> Vec<Planned> {
    let mut search = Search::new(cluster, state, nodes, options);
    std::iter::from_fn(|| search.step(enough)).collect()
}
