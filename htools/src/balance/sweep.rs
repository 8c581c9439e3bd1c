//! Ranks the candidates of one instance: frames first, then every target in each of them.
#![allow(clippy::needless_range_loop, reason = "the lanes of several arrays go in step")]

use super::frame::{Frame, Kind, Leaving};
use super::memo::Memo;
use super::rank::{Lanes, Moment, NARROW, RESERVED, WIDE};
use super::table::{Room, Table};
use super::{Options, candidate};
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::instance::Instance;
use crate::moves::{Move, Trial};
use crate::score::{Board, row};
use crate::state::{State, real};
use crate::tag;

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
    /// A candidate and what it gains; `tried`: it is known to be possible. Says whether it is.
    fn take(&mut self, chosen: Move, gain: f64, tried: bool) -> bool;
}

impl Sweep<'_> {
    /// Ranks the candidates of an instance, all of them or those to `targets`, by their gain against `moment`.
    pub(super) fn run(&mut self, id: InstanceId, moment: &Moment, targets: Option<&[usize]>, memo: &mut Memo, sink: &mut impl Sink) {
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
        let all = 0..self.table.rooms.len();
        let allowed = |kind: &Kind| kind(primary).copied_gib(instance) <= self.copies;
        let kinds: Vec<Kind> = kinds.iter().copied().filter(allowed).collect();
        if !usual {
            for at in targets.map_or_else(|| all.clone().collect(), <[usize]>::to_vec) {
                let node = self.table.rooms[at].node;
                if node != primary && Some(node) != state.secondary[id.at()] {
                    kinds.iter().for_each(|kind| self.one(id, moment, at, kind(node), memo, sink));
                }
            }
            return;
        }
        let mut frames = std::mem::take(&mut memo.frames);
        if let Some(targets) = targets {
            for frame in &frames {
                for at in targets {
                    let node = self.table.rooms[*at].node;
                    self.own[node.at()] = frame.own(state, node);
                }
                self.frame(id, moment, frame, targets.iter().copied(), memo, sink);
                targets.iter().for_each(|at| self.own[self.table.rooms[*at].node.at()] = 0);
            }
        } else {
            let leaving = Leaving::new(cluster, state, self.table, self.options.ignore_soft_errors, id);
            frames.extend(kinds.iter().filter_map(|kind| leaving.frame(*kind, moment, &mut memo.reach)));
            let gib = |frame: &Frame| (frame.kind)(primary).copied_gib(instance);
            frames.iter_mut().for_each(|frame| frame.count += self.options.price * gib(frame));
            for frame in &frames {
                let used = frame.own_of_all(cluster, state, self.own);
                self.frame(id, moment, frame, all.clone(), memo, sink);
                used.into_iter().for_each(|node| self.own[node.at()] = 0);
            }
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
        if gain >= sink.least().min(memo.rest) && sink.take(chosen, gain, true) && gain > memo.rest {
            memo.keep(target, gain);
        }
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

    /// All targets of a frame.
    fn frame(
        &self,
        id: InstanceId,
        moment: &Moment,
        frame: &Frame,
        targets: impl Iterator<Item = usize>,
        memo: &mut Memo,
        sink: &mut impl Sink,
    ) {
        let (primary, secondary) = (self.state.primary[id.at()], self.state.secondary[id.at()]);
        let instance = self.cluster.instance(id);
        let targets = targets.filter(|at| {
            let node = self.table.rooms[*at].node;
            node != primary && Some(node) != secondary
        });
        let before = if self.table.located { self.location(id, instance, primary, self.state.shared[id.at()]) } else { 0.0 };
        if frame.primary {
            self.to_primary(id, moment, frame, before, targets, memo, sink);
        } else {
            self.to_secondary(id, moment, frame, before, targets, memo, sink);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the inner loop: everything is at hand")]
    fn to_secondary(
        &self,
        id: InstanceId,
        moment: &Moment,
        frame: &Frame,
        before: f64,
        targets: impl Iterator<Item = usize>,
        memo: &mut Memo,
        sink: &mut impl Sink,
    ) {
        let (table, instance) = (self.table, self.cluster.instance(id));
        let (per_node, counts, reserves) = (1.0 / table.ranks.count, table.counts, instance.reserves());
        let mut rest = [0.0; WIDE - NARROW];
        for (at, rest) in rest.iter_mut().enumerate() {
            *rest = (frame.squares[NARROW + at] - frame.sums[NARROW + at] * frame.sums[NARROW + at] * per_node).max(0.0);
        }
        let base = moment.spread - rest.iter().map(|squares| squares.sqrt()).sum::<f64>() - frame.count;
        let mut any = false;
        for at in targets {
            let room = &table.rooms[at];
            let reserved = room.reserved.max(self.own[room.node.at()] + reserves);
            let fails = room.unallocated <= reserved;
            if !takes_secondary(room, instance, frame.soft, fails) {
                continue;
            }
            let (centred, unit) = (&table.ranks.centred[at], &table.units[at]);
            let mut delta = [0.0; NARROW];
            delta.copy_from_slice(&frame.delta[..NARROW]);
            delta[RESERVED] = real(reserved - room.reserved);
            let mut left = [0.0; NARROW];
            for lane in 0..NARROW {
                let by = delta[lane] * unit[lane];
                let sum = frame.sums[lane] + by;
                left[lane] = frame.squares[lane] + by * (centred[lane] + centred[lane] + by) - sum * sum * per_node;
            }
            let mut gain = base - spread(&mut left);
            let n1 = if fails { room.instances + 1.0 } else { 0.0 };
            gain -= counts.n1 * (n1 - room.n1) + room.reserved_price * delta[RESERVED];
            if table.located
                && let Some(other) = frame.other
            {
                gain -= self.location(id, instance, other, self.common(room.node, other)) - before;
            }
            for lane in 0..NARROW {
                memo.low[lane] = if left[lane] < memo.low[lane] { left[lane] } else { memo.low[lane] };
                memo.high[lane] = if left[lane] > memo.high[lane] { left[lane] } else { memo.high[lane] };
            }
            any = true;
            if gain > memo.rest || gain >= sink.least() {
                offer(at, (frame.kind)(room.node), gain, memo, sink);
            }
        }
        if any {
            memo.widen(&rest, NARROW);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the inner loop: everything is at hand")]
    fn to_primary(
        &self,
        id: InstanceId,
        moment: &Moment,
        frame: &Frame,
        before: f64,
        targets: impl Iterator<Item = usize>,
        memo: &mut Memo,
        sink: &mut impl Sink,
    ) {
        let (table, instance) = (self.table, self.cluster.instance(id));
        let (per_node, counts, reserves) = (1.0 / table.ranks.count, table.counts, instance.reserves());
        let memory = if instance.uses_memory() { instance.memory } else { 0 };
        let base = moment.spread - frame.count;
        for at in targets {
            let room = &table.rooms[at];
            let fails = room.unallocated - memory <= room.reserved;
            if !takes_primary(room, instance, memory, frame.soft, fails) {
                continue;
            }
            let mut gain = base;
            if !instance.exclusion.is_empty() {
                let effect = self.state.effect_of_adding(self.cluster, room.node, instance, 0);
                if frame.soft && effect.meets_tag {
                    continue;
                }
                gain -= counts.tags * real(effect.conflicts);
            }
            let (mut sum_reserved, mut squares_reserved) = (frame.sums[RESERVED], frame.squares[RESERVED]);
            if let Some(variable) = &frame.variable {
                let reserved = variable.reserved.max(self.own[room.node.at()] + reserves);
                let more = real(reserved - variable.reserved);
                let centred = variable.centred + more * table.units[variable.at][RESERVED];
                sum_reserved += centred;
                squares_reserved += centred * centred;
                gain -= more * table.rooms[variable.at].reserved_price;
                gain -= if variable.unallocated <= reserved { counts.n1 * variable.instances } else { 0.0 };
            }
            let (centred, unit) = (&table.ranks.centred[at], &table.units[at]);
            let mut left = [0.0; WIDE];
            for lane in 0..WIDE {
                let by = frame.delta[lane] * unit[lane];
                let sum = frame.sums[lane] + by;
                left[lane] = frame.squares[lane] + by * (centred[lane] + centred[lane] + by) - sum * sum * per_node;
            }
            left[RESERVED] = squares_reserved - sum_reserved * sum_reserved * per_node;
            gain -= spread(&mut left);
            let n1 = if fails { room.instances + 1.0 } else { 0.0 };
            gain -= counts.n1 * (n1 - room.n1);
            if table.located {
                let shared = frame.other.map_or(self.state.shared[id.at()], |other| self.common(room.node, other));
                gain -= self.location(id, instance, room.node, shared) - before;
            }
            for lane in 0..WIDE {
                memo.low[lane] = if left[lane] < memo.low[lane] { left[lane] } else { memo.low[lane] };
                memo.high[lane] = if left[lane] > memo.high[lane] { left[lane] } else { memo.high[lane] };
            }
            if gain > memo.rest || gain >= sink.least() {
                offer(at, (frame.kind)(room.node), gain, memo, sink);
            }
        }
    }

    /// What the instance adds to the location count on this primary node, weighted.
    fn location(&self, _id: InstanceId, instance: &Instance, primary: NodeId, shared: i64) -> f64 {
        if self.table.place(primary).is_none() {
            return 0.0;
        }
        let effect = self.state.effect_of_removing(self.cluster, primary, instance, shared);
        self.table.counts.location * real(effect.location)
    }

    fn common(&self, a: NodeId, b: NodeId) -> i64 {
        tag::common(&self.cluster.node(a).location, &self.cluster.node(b).location)
    }
}

/// The sum of the roots of the squares that are left; what rounding made negative becomes 0.
#[inline]
fn spread<const N: usize>(left: &mut [f64; N]) -> f64 {
    let mut roots = [0.0; N];
    for lane in 0..N {
        left[lane] = if left[lane] > 0.0 { left[lane] } else { 0.0 };
        roots[lane] = left[lane].sqrt();
    }
    // Two sums side by side: the lanes of a register.
    let (mut even, mut odd) = (0.0, 0.0);
    for pair in roots.chunks_exact(2) {
        even += pair[0];
        odd += pair[1];
    }
    even + odd
}

fn offer(target: usize, chosen: Move, gain: f64, memo: &mut Memo, sink: &mut impl Sink) {
    if sink.take(chosen, gain, false) && gain > memo.rest {
        memo.keep(target, gain);
    }
}

/// Whether a target could take the primary: a quick look at the limits that most often stand in the way. All are asked later.
fn takes_primary(room: &Room, instance: &Instance, memory: i64, soft: bool, fails: bool) -> bool {
    let local = instance.uses_local_disk();
    let disk = room.disk - instance.disk;
    let vcpus = if instance.is_online() { instance.vcpus } else { 0 };
    room.unallocated > memory
        && !(local && disk <= 0)
        && !(soft
            && (fails && !room.fails_n1
                || vcpus > room.vcpus
                || local && (disk < room.disk_floor || room.spindles + real(instance.spindle_use) > room.spindle_limit)))
}

/// The same for the secondary.
fn takes_secondary(room: &Room, instance: &Instance, soft: bool, fails: bool) -> bool {
    let disk = room.disk - instance.disk;
    disk > 0
        && !(soft
            && (fails && !room.fails_n1
                || instance.reserves() >= room.unallocated
                || disk < room.disk_floor
                || room.spindles + real(instance.spindle_use) > room.spindle_limit))
}
