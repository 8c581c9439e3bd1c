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
    per_node: f64,
}

impl<'a, 'b> Pass<'a, 'b> {
    pub(super) fn new(sweep: &'a Sweep<'b>, id: InstanceId, moment: &Moment, frame: &'a Frame) -> Self {
        let (state, instance) = (sweep.state, sweep.cluster.instance(id));
        let (nodes, shared) = ((state.primary[id.at()], state.secondary[id.at()]), state.shared[id.at()]);
        let base = moment.spread - frame.count - frame.roots;
        let mut pass = Self { sweep, instance, frame, nodes, shared, before: 0.0, base, per_node: 1.0 / sweep.table.ranks.count };
        if sweep.table.located {
            pass.before = pass.location(nodes.0, shared);
        }
        pass
    }

    /// All targets: most of them gain too little at first sight.
    pub(super) fn all(&self, memo: &mut Memo, sink: &mut impl Sink) {
        let table = self.sweep.table;
        let (order, lanes) = if self.frame.primary { (&table.by_memory, WIDE) } else { (&table.by_disk, NARROW) };
        // Locations may gain something; all else that chords do not look at only costs.
        if table.located || table.lenient {
            return self.over(order.iter().copied(), None, memo, sink);
        }
        let (chords, (low, high)) = Chords::new(self.frame, table, lanes);
        for lane in (0..lanes).filter(|lane| *lane != RESERVED) {
            memo.low[lane] = memo.low[lane].min(low[lane]);
            memo.high[lane] = memo.high[lane].max(high[lane]);
        }
        self.over(order.iter().copied(), Some(&chords), memo, sink);
    }

    /// Some targets.
    pub(super) fn over(&self, targets: impl Iterator<Item = usize>, chords: Option<&Chords>, memo: &mut Memo, sink: &mut impl Sink) {
        let (table, frame) = (self.sweep.table, self.frame);
        // What the targets share that have nothing of this instance's other node.
        let usual = frame.primary.then(|| self.reserved_by_primary(0));
        for at in targets {
            let node = table.rooms[at].node;
            if node == self.nodes.0 || Some(node) == self.nodes.1 {
                continue;
            }
            let own = self.sweep.own[node.at()];
            let (left, cost) = match usual {
                Some(usual) if own == 0 => usual,
                Some(_) => self.reserved_by_primary(own),
                None => self.reserved_by_secondary(at, own),
            };
            memo.low[RESERVED] = if left < memo.low[RESERVED] { left } else { memo.low[RESERVED] };
            memo.high[RESERVED] = if left > memo.high[RESERVED] { left } else { memo.high[RESERVED] };
            let base = self.base - cost;
            if let Some(chords) = chords {
                let least = if frame.primary { chords.least::<WIDE>(table, at) } else { chords.least::<NARROW>(table, at) };
                if !is_wanted(base - least - left.sqrt() + table.slack, memo, sink) {
                    continue;
                }
            }
            if frame.primary {
                self.to_primary(at, base, left, memo, sink);
            } else {
                self.to_secondary(at, base, left, own, memo, sink);
            }
        }
    }

    /// The squares of the reserved memory that a target leaves as the secondary node, and what it costs beside the columns.
    #[inline]
    fn reserved_by_secondary(&self, at: usize, own: i64) -> (f64, f64) {
        let (table, frame) = (self.sweep.table, self.frame);
        let room = &table.rooms[at];
        let more = real(room.reserved.max(own + self.instance.reserves()) - room.reserved);
        let (by, centred) = (more * table.units[at][RESERVED], table.ranks.centred[at][RESERVED]);
        let squares = frame.squares[RESERVED] + by * (centred + centred + by);
        (self.left(frame.sums[RESERVED] + by, squares), room.reserved_price * more)
    }

    /// The same for a target as the primary node, which changes what is reserved on the node that keeps or gets the secondary.
    fn reserved_by_primary(&self, own: i64) -> (f64, f64) {
        let (table, frame) = (self.sweep.table, self.frame);
        let (sum, squares) = (frame.sums[RESERVED], frame.squares[RESERVED]);
        let Some(variable) = &frame.variable else { return (self.left(sum, squares), 0.0) };
        let reserved = variable.reserved.max(own + self.instance.reserves());
        let more = real(reserved - variable.reserved);
        let centred = variable.centred + more * table.units[variable.at][RESERVED];
        let n1 = if variable.unallocated <= reserved { table.counts.n1 * variable.instances } else { 0.0 };
        (self.left(sum + centred, squares + centred * centred), more * table.rooms[variable.at].reserved_price + n1)
    }

    fn left(&self, sum: f64, squares: f64) -> f64 {
        let left = squares - sum * sum * self.per_node;
        if left > 0.0 { left } else { 0.0 }
    }

    fn to_secondary(&self, at: usize, mut base: f64, left: f64, own: i64, memo: &mut Memo, sink: &mut impl Sink) {
        let (table, frame, instance) = (self.sweep.table, self.frame, self.instance);
        let room = &table.rooms[at];
        let fails = room.unallocated <= room.reserved.max(own + instance.reserves());
        if !takes_secondary(room, instance, frame.soft, fails) {
            return;
        }
        let n1 = if fails { room.instances + 1.0 } else { 0.0 };
        base -= table.counts.n1 * (n1 - room.n1);
        if table.located
            && let Some(other) = frame.other
        {
            base -= self.location(other, self.common(room.node, other)) - self.before;
        }
        self.judge::<NARROW>(at, base, left, memo, sink);
    }

    fn to_primary(&self, at: usize, mut base: f64, left: f64, memo: &mut Memo, sink: &mut impl Sink) {
        let (table, frame, instance) = (self.sweep.table, self.frame, self.instance);
        let (room, counts) = (&table.rooms[at], table.counts);
        let memory = if instance.uses_memory() { instance.memory } else { 0 };
        let fails = room.unallocated - memory <= room.reserved;
        if !takes_primary(room, instance, memory, frame.soft, fails) {
            return;
        }
        let n1 = if fails { room.instances + 1.0 } else { 0.0 };
        base -= counts.n1 * (n1 - room.n1);
        if !instance.exclusion.is_empty() {
            let effect = self.sweep.state.effect_of_adding(self.sweep.cluster, room.node, instance, 0);
            if frame.soft && effect.meets_tag {
                return;
            }
            base -= counts.tags * real(effect.conflicts);
        }
        if table.located {
            let shared = frame.other.map_or(self.shared, |other| self.common(room.node, other));
            base -= self.location(room.node, shared) - self.before;
        }
        self.judge::<WIDE>(at, base, left, memo, sink);
    }

    /// The gain of a target that changes the first `N` columns.
    #[inline]
    fn judge<const N: usize>(&self, at: usize, base: f64, reserved: f64, memo: &mut Memo, sink: &mut impl Sink) {
        let (table, frame, per_node) = (self.sweep.table, self.frame, self.per_node);
        let (centred, unit) = (&table.ranks.centred[at], &table.units[at]);
        let mut left = [0.0; N];
        for lane in 0..N {
            let by = frame.delta[lane] * unit[lane];
            let sum = frame.sums[lane] + by;
            left[lane] = frame.squares[lane] + by * (centred[lane] + centred[lane] + by) - sum * sum * per_node;
        }
        left[RESERVED] = reserved;
        let gain = base - spread(&mut left);
        for lane in 0..N {
            memo.low[lane] = if left[lane] < memo.low[lane] { left[lane] } else { memo.low[lane] };
            memo.high[lane] = if left[lane] > memo.high[lane] { left[lane] } else { memo.high[lane] };
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
