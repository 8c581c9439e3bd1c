//! Ranks the candidates of one instance: frames first, then every target in each of them.
#![allow(clippy::needless_range_loop, reason = "the lanes of several arrays go in step")]

use super::frame::{Frame, Kind, Leaving, Near};
use super::memo::Memo;
use super::pass::Pass;
use super::rank::{Lanes, Moment, NARROW, WIDE};
use super::table::Table;
use super::{Options, candidate};
use crate::cluster::Cluster;
use crate::id::InstanceId;
use crate::moves::{Move, Trial};
use crate::score::{Board, row};
use crate::state::{State, real};

/// The target of a move that has none.
pub(super) const NO_TARGET: usize = usize::MAX;

/// A group at one moment, with what a sweep writes to.
pub(super) struct Sweep<'a> {
    pub cluster: &'a Cluster,
    pub state: &'a State,
    pub board: &'a Board,
    pub table: &'a Table,
    pub options: &'a Options,
    /// GiB that may still be copied.
    pub copies: f64,
    /// All 0 between sweeps.
    pub own: &'a mut Vec<i64>,
}

/// Where ranked candidates go.
pub(super) trait Sink {
    /// Candidates that gain less are of no interest.
    fn least(&self) -> f64;
    /// A candidate that gains at least [`Self::least`]; `tried`: it is known to be possible. Says whether it is.
    fn take(&mut self, chosen: Move, gain: f64, tried: bool) -> bool;
}

impl Sweep<'_> {
    /// Ranks the candidates of an instance, all of them or those to `targets`, by their gain against `moment`.
    pub(super) fn run(
        &mut self,
        id: InstanceId,
        moment: &Moment,
        targets: Option<&[(usize, Near)]>,
        memo: &mut Memo,
        sink: &mut impl Sink,
    ) {
        let (cluster, state) = (self.cluster, self.state);
        let instance = cluster.instance(id);
        let primary = state.primary[id.at()];
        let usual = !(self.table.bent || instance.forthcoming || self.table.located && !instance.exclusion.is_empty());
        let (first, kinds) = candidate::choice(cluster, state, self.board, self.options, id);
        if targets.is_none()
            && let Some(chosen) = first
        {
            self.one(id, moment, NO_TARGET, chosen, memo, sink);
        }
        let allowed = |kind: &Kind| kind(primary).copied_gib(instance) <= self.copies;
        let kinds = kinds.iter().copied().filter(allowed);
        match targets {
            _ if !usual => {
                let kinds: Vec<Kind> = kinds.collect();
                for at in targets
                    .map_or_else(|| (0..self.table.rooms.len()).collect(), |some| some.iter().map(|(at, _)| *at).collect::<Vec<usize>>())
                {
                    let node = self.table.rooms[at].node;
                    if node != primary && Some(node) != state.secondary[id.at()] {
                        kinds.iter().for_each(|kind| self.one(id, moment, at, kind(node), memo, sink));
                    }
                }
            }
            Some(targets) => self.again(id, moment, targets, memo, sink),
            None => {
                let leaving = Leaving::new(cluster, state, self.table, self.options.ignore_soft_errors, id);
                let frames: Vec<Frame> = kinds.filter_map(|kind| leaving.frame(kind, moment, &mut memo.reach)).collect();
                self.anew(id, moment, frames, memo, sink);
            }
        }
    }

    /// Some targets in the frames that are known.
    fn again(&mut self, id: InstanceId, moment: &Moment, targets: &[(usize, Near)], memo: &mut Memo, sink: &mut impl Sink) {
        let frames = std::mem::take(&mut memo.frames);
        for frame in &frames {
            for (at, near) in targets {
                self.own[self.table.rooms[*at].node.at()] = frame.own(near);
            }
            Pass::new(self, id, moment, frame).over(targets.iter().map(|(at, _)| *at), None, memo, sink);
            targets.iter().for_each(|(at, _)| self.own[self.table.rooms[*at].node.at()] = 0);
        }
        memo.frames = frames;
    }

    /// All targets in new frames.
    fn anew(&mut self, id: InstanceId, moment: &Moment, mut frames: Vec<Frame>, memo: &mut Memo, sink: &mut impl Sink) {
        let (instance, primary) = (self.cluster.instance(id), self.state.primary[id.at()]);
        for frame in &mut frames {
            frame.count += self.options.price * (frame.kind)(primary).copied_gib(instance);
            if !frame.primary {
                memo.widen(&frame.settle(self.table.ranks.count), NARROW);
            }
        }
        for frame in &frames {
            let used = frame.own_of_all(self.cluster, self.state, self.own);
            Pass::new(self, id, moment, frame).all(memo, sink);
            used.into_iter().for_each(|node| self.own[node.at()] = 0);
        }
        memo.frames = frames;
    }

    /// A candidate that is like no other: judged by its trial.
    fn one(&self, id: InstanceId, moment: &Moment, target: usize, chosen: Move, memo: &mut Memo, sink: &mut impl Sink) {
        let Ok(trial) = self.state.trial(self.cluster, id, chosen, self.options.ignore_soft_errors) else { return };
        let (gain, squares, reach) = self.gain(id, moment, &trial);
        let gain = gain - self.options.price * chosen.copied_gib(self.cluster.instance(id));
        memo.widen(&squares, 0);
        memo.reach.iter_mut().zip(reach).for_each(|(most, reach)| *most = most.max(reach));
        offer(target, chosen, gain, true, memo, sink);
    }

    /// What a trial gains, the squares that it leaves, and how far it moves the sums.
    pub(super) fn gain(&self, id: InstanceId, moment: &Moment, trial: &Trial) -> (f64, Lanes, Lanes) {
        let (start, mut squares) = self.table.ranks.sums_at(moment);
        let mut sums = start;
        let mut count = self.table.counts.pairs * real(self.board.pair_change(self.cluster, self.state, id, trial));
        for (node, usage) in trial.touched() {
            let Some(at) = self.table.place(*node) else {
                count += self.table.offline_change(*node, self.state.usage(*node), usage);
                continue;
            };
            let new_row = row(self.cluster.node(*node), usage);
            let (new, old) = (self.table.ranks.centred(&new_row), &self.table.ranks.centred[at]);
            for lane in 0..WIDE {
                sums[lane] += new[lane] - old[lane];
                squares[lane] += new[lane] * new[lane] - old[lane] * old[lane];
            }
            count += self.table.row_change(at, &new_row, true);
        }
        let mut spread = 0.0;
        let mut reach = [0.0; WIDE];
        for lane in 0..WIDE {
            squares[lane] = (squares[lane] - sums[lane] * sums[lane] / self.table.ranks.count).max(0.0);
            spread += squares[lane].sqrt();
            reach[lane] = (sums[lane] - start[lane]).abs();
        }
        (moment.spread - spread - count, squares, reach)
    }
}

/// Gives a candidate to the sink if that wants it, and remembers it. One that the sink does not want is not tried: the memo needs
/// only to know that no candidate gains more.
pub(super) fn offer(target: usize, chosen: Move, gain: f64, tried: bool, memo: &mut Memo, sink: &mut impl Sink) {
    if (gain < sink.least() || sink.take(chosen, gain, tried)) && gain > memo.rest {
        memo.keep(target, gain);
    }
}
