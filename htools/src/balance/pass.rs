//! The targets of one frame, one after the other: the inner loop of the search.
#![allow(clippy::needless_range_loop, reason = "the lanes of several arrays go in step")]

use super::chord::Chords;
use super::frame::Frame;
use super::memo::Memo;
use super::rank::{Moment, NARROW, RESERVED, WIDE};
use super::sweep::{Sink, Sweep, offer};
use super::table::Room;
use crate::id::{InstanceId, NodeId};
use crate::instance::Instance;
use crate::state::real;
use crate::tag;

/// A frame with what all its targets are judged by.
pub(super) struct Pass<'a, 'b> {
    sweep: &'a Sweep<'b>,
    instance: &'a Instance,
    frame: &'a Frame,
    /// Its nodes, which are no targets.
    nodes: (NodeId, Option<NodeId>),
    /// Failure causes that they share.
    shared: i64,
    /// What the instance adds to the location count now, weighted.
    before: f64,
    /// The gain of a target that costs nothing.
    base: f64,
}

/// The smallest and the largest square of the reserved memory that a target left.
struct Reserved {
    low: f64,
    high: f64,
}

impl Reserved {
    fn widen(&mut self, left: f64) {
        self.low = if left < self.low { left } else { self.low };
        self.high = if left > self.high { left } else { self.high };
    }
}

impl<'a, 'b> Pass<'a, 'b> {
    pub(super) fn new(sweep: &'a Sweep<'b>, id: InstanceId, moment: &Moment, frame: &'a Frame) -> Self {
        let (state, instance) = (sweep.state, sweep.cluster.instance(id));
        let (nodes, shared) = ((state.primary[id.at()], state.secondary[id.at()]), state.shared[id.at()]);
        let base = moment.spread - frame.count - frame.roots;
        let mut pass = Self { sweep, instance, frame, nodes, shared, before: 0.0, base };
        if sweep.table.located {
            pass.before = pass.location(nodes.0, shared);
        }
        pass
    }

    /// All targets: most of them gain too little at first sight.
    pub(super) fn all(&self, memo: &mut Memo, sink: &mut impl Sink) {
        let table = self.sweep.table;
        let (order, lanes) = if self.frame.primary { (&table.by_memory, WIDE) } else { (&table.by_disk, NARROW) };
        let chords = Chords::new(self.frame, table, lanes);
        let mut reserved = Reserved { low: f64::INFINITY, high: 0.0 };
        self.each(order, Some(&chords), &mut reserved, memo, sink);
        if reserved.low <= reserved.high {
            for lane in 0..lanes {
                let (low, high) = if lane == RESERVED { (reserved.low, reserved.high) } else { (chords.low[lane], chords.high[lane]) };
                memo.low[lane] = memo.low[lane].min(low);
                memo.high[lane] = memo.high[lane].max(high);
            }
        }
    }

    /// Some targets.
    pub(super) fn some(&self, targets: &[usize], memo: &mut Memo, sink: &mut impl Sink) {
        self.each(targets, None, &mut Reserved { low: 0.0, high: 0.0 }, memo, sink);
    }

    fn each(&self, targets: &[usize], chords: Option<&Chords>, reserved: &mut Reserved, memo: &mut Memo, sink: &mut impl Sink) {
        for at in targets.iter().copied() {
            let node = self.sweep.table.rooms[at].node;
            if node == self.nodes.0 || Some(node) == self.nodes.1 {
                continue;
            }
            if self.frame.primary {
                self.to_primary(at, chords, reserved, memo, sink);
            } else {
                self.to_secondary(at, chords, reserved, memo, sink);
            }
        }
    }

    #[inline]
    fn to_secondary(&self, at: usize, chords: Option<&Chords>, seen: &mut Reserved, memo: &mut Memo, sink: &mut impl Sink) {
        let (table, frame, instance) = (self.sweep.table, self.frame, self.instance);
        let (room, counts) = (&table.rooms[at], table.counts);
        let reserved = room.reserved.max(self.sweep.own[room.node.at()] + instance.reserves());
        let fails = room.unallocated <= reserved;
        if !takes_secondary(room, instance, frame.soft, fails) {
            return;
        }
        let more = real(reserved - room.reserved);
        let n1 = if fails { room.instances + 1.0 } else { 0.0 };
        let mut base = self.base - counts.n1 * (n1 - room.n1) - room.reserved_price * more;
        if table.located
            && let Some(other) = frame.other
        {
            base -= self.location(other, self.common(room.node, other)) - self.before;
        }
        let left = self.left_reserved(at, more * table.units[at][RESERVED], (frame.sums[RESERVED], frame.squares[RESERVED]));
        if let Some(chords) = chords {
            seen.widen(left);
            if !is_wanted(base - chords.least::<NARROW>(table, at) - left.sqrt() + table.slack, memo, sink) {
                return;
            }
        }
        self.judge::<NARROW>(at, base, left, chords.is_none(), memo, sink);
    }

    #[inline]
    fn to_primary(&self, at: usize, chords: Option<&Chords>, seen: &mut Reserved, memo: &mut Memo, sink: &mut impl Sink) {
        let (table, frame, instance) = (self.sweep.table, self.frame, self.instance);
        let (room, counts) = (&table.rooms[at], table.counts);
        let memory = if instance.uses_memory() { instance.memory } else { 0 };
        let fails = room.unallocated - memory <= room.reserved;
        if !takes_primary(room, instance, memory, frame.soft, fails) {
            return;
        }
        let n1 = if fails { room.instances + 1.0 } else { 0.0 };
        let mut base = self.base - counts.n1 * (n1 - room.n1);
        if !instance.exclusion.is_empty() {
            let effect = self.sweep.state.effect_of_adding(self.sweep.cluster, room.node, instance, 0);
            if frame.soft && effect.meets_tag {
                return;
            }
            base -= counts.tags * real(effect.conflicts);
        }
        let mut of_reserved = (frame.sums[RESERVED], frame.squares[RESERVED]);
        if let Some(variable) = &frame.variable {
            let reserved = variable.reserved.max(self.sweep.own[room.node.at()] + instance.reserves());
            let more = real(reserved - variable.reserved);
            let centred = variable.centred + more * table.units[variable.at][RESERVED];
            of_reserved = (of_reserved.0 + centred, of_reserved.1 + centred * centred);
            base -= more * table.rooms[variable.at].reserved_price;
            base -= if variable.unallocated <= reserved { counts.n1 * variable.instances } else { 0.0 };
        }
        if table.located {
            let shared = frame.other.map_or(self.shared, |other| self.common(room.node, other));
            base -= self.location(room.node, shared) - self.before;
        }
        let left = self.left_reserved(at, 0.0, of_reserved);
        if let Some(chords) = chords {
            seen.widen(left);
            if !is_wanted(base - chords.least::<WIDE>(table, at) - left.sqrt() + table.slack, memo, sink) {
                return;
            }
        }
        self.judge::<WIDE>(at, base, left, chords.is_none(), memo, sink);
    }

    /// The square of the reserved memory once the target's grows `by`.
    fn left_reserved(&self, at: usize, by: f64, (sum, squares): (f64, f64)) -> f64 {
        let (table, sum) = (self.sweep.table, sum + by);
        let centred = table.ranks.centred[at][RESERVED];
        let left = squares + by * (centred + centred + by) - sum * sum / table.ranks.count;
        if left > 0.0 { left } else { 0.0 }
    }

    /// The gain of a target that changes the first `N` columns.
    #[inline]
    fn judge<const N: usize>(&self, at: usize, base: f64, reserved: f64, remember: bool, memo: &mut Memo, sink: &mut impl Sink) {
        let (table, frame) = (self.sweep.table, self.frame);
        let per_node = 1.0 / table.ranks.count;
        let (centred, unit) = (&table.ranks.centred[at], &table.units[at]);
        let mut left = [0.0; N];
        for lane in 0..N {
            let by = frame.delta[lane] * unit[lane];
            let sum = frame.sums[lane] + by;
            left[lane] = frame.squares[lane] + by * (centred[lane] + centred[lane] + by) - sum * sum * per_node;
        }
        left[RESERVED] = reserved;
        let gain = base - spread(&mut left);
        if remember {
            for lane in 0..N {
                memo.low[lane] = if left[lane] < memo.low[lane] { left[lane] } else { memo.low[lane] };
                memo.high[lane] = if left[lane] > memo.high[lane] { left[lane] } else { memo.high[lane] };
            }
        }
        if is_wanted(gain, memo, sink) {
            offer(at, (frame.kind)(table.rooms[at].node), gain, false, memo, sink);
        }
    }

    /// What the instance adds to the location count on this primary node, weighted.
    fn location(&self, primary: NodeId, shared: i64) -> f64 {
        if self.sweep.table.place(primary).is_none() {
            return 0.0;
        }
        let effect = self.sweep.state.effect_of_removing(self.sweep.cluster, primary, self.instance, shared);
        self.sweep.table.counts.location * real(effect.location)
    }

    fn common(&self, a: NodeId, b: NodeId) -> i64 {
        let cluster = self.sweep.cluster;
        tag::common(&cluster.node(a).location, &cluster.node(b).location)
    }
}

/// Whether anybody wants to know of a gain.
#[inline]
fn is_wanted(gain: f64, memo: &Memo, sink: &impl Sink) -> bool {
    gain > memo.rest || gain >= sink.least()
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
