//! What all candidates of one instance and kind of move share: everything but the target node.

use super::rank::{self, Lanes, Moment, NARROW, RESERVED, WIDE};
use super::table::Table;
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::moves::Move;
use crate::score::row;
use crate::state::{Effect, Limits, State, Usage};

/// A move without its target.
pub(super) type Kind = fn(NodeId) -> Move;

/// A node whose reserved memory depends on the target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variable {
    /// Its place among the online nodes.
    pub at: usize,
    /// Reserved memory, and its column, when the target has no other instance there.
    pub reserved: i64,
    pub centred: f64,
    pub unallocated: i64,
    pub instances: f64,
}

/// Sums with the old nodes changed.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub kind: Kind,
    /// The target becomes the primary node.
    pub primary: bool,
    /// What the target's quantities change by.
    pub delta: Lanes,
    pub sums: Lanes,
    pub squares: Lanes,
    /// What counts change by, weighted, without the target's.
    pub count: f64,
    /// The roots of those columns that a target does not change.
    pub roots: f64,
    pub variable: Option<Variable>,
    /// Soft limits hold for the target.
    pub soft: bool,
    /// The instance's other node.
    pub other: Option<NodeId>,
    /// The node to whose instances the target, or the variable node, relates: see [`Self::own`].
    peer: Option<NodeId>,
}

/// What a node shares with each other one: memory of the instances that are on both.
pub(super) struct Near {
    /// Of those with their primary here.
    primaries: Vec<i64>,
    /// Of those with their secondary here.
    secondaries: Vec<i64>,
}

impl Near {
    pub(super) fn new(cluster: &Cluster, state: &State, node: NodeId) -> Self {
        let none = vec![0; cluster.nodes.len()];
        let mut near = Self { primaries: none.clone(), secondaries: none };
        state.reserved_elsewhere(cluster, node).for_each(|(peer, memory)| near.primaries[peer.at()] += memory);
        state.peers[node.at()].iter().for_each(|(peer, memory)| near.secondaries[peer.at()] = memory);
        near
    }
}

/// What builds frames: an instance without its nodes.
pub(super) struct Leaving<'a> {
    pub cluster: &'a Cluster,
    pub state: &'a State,
    pub table: &'a Table,
    pub force: bool,
    id: InstanceId,
    p: NodeId,
    without_p: Usage,
    left: Effect,
    second: Option<(NodeId, Usage)>,
}

impl<'a> Leaving<'a> {
    pub(super) fn new(cluster: &'a Cluster, state: &'a State, table: &'a Table, force: bool, id: InstanceId) -> Self {
        let instance = cluster.instance(id);
        let p = state.primary[id.at()];
        let left = state.effect_of_removing(cluster, p, instance, 0);
        let without_p = state.usage(p).without_primary(cluster.node(p), instance, left);
        let second = state.secondary[id.at()].filter(|_| instance.has_secondary()).map(|s| {
            let peers = &state.peers[s.at()];
            (s, state.usage(s).without_secondary(cluster.node(s), instance, peers.get(p), peers.max_without(p)))
        });
        Self { cluster, state, table, force, id, p, without_p, left, second }
    }

    /// The frame of a kind; `None` when no target can be possible.
    pub(super) fn frame(&self, kind: Kind, moment: &Moment, reach: &mut Lanes) -> Option<Frame> {
        let (cluster, state, instance, p) = (self.cluster, self.state, self.cluster.instance(self.id), self.p);
        let p_offline = self.force || cluster.node(p).offline;
        let chosen = kind(p);
        if let Move::FailoverToAny(_) = chosen {
            return Some(self.build(kind, moment, reach, true, !p_offline, None, &[(p, self.without_p)], None, None));
        }
        let (s, without_s) = self.second?;
        let (node_p, node_s) = (cluster.node(p), cluster.node(s));
        let s_offline = self.force || node_s.offline;
        match chosen {
            Move::ReplaceSecondary(_) => {
                let back = Effect { location: 0, ..self.left };
                let new_p = self.without_p.with_primary(node_p, instance, back, Limits::Hard).ok()?;
                Some(self.build(kind, moment, reach, false, !s_offline, Some(p), &[(p, new_p), (s, without_s)], None, Some(p)))
            }
            Move::ReplaceAndFailover(_) => {
                let new_s = self.without_p.with_secondary(node_p, instance, 0, Limits::unless(s_offline), false).ok()?;
                Some(self.build(kind, moment, reach, true, !self.force, Some(p), &[(s, without_s)], Some((p, new_s)), Some(p)))
            }
            Move::ReplacePrimary(_) if node_s.receives_from(node_p) => {
                let (limits, passing) = (Limits::unless(p_offline), state.effect_of_adding(cluster, s, instance, 0));
                let there = without_s.with_primary(node_s, instance, passing, limits).ok()?;
                let gone = there.without_primary(node_s, instance, passing);
                let new_s = gone.with_secondary(node_s, instance, 0, limits, false).ok()?;
                Some(self.build(kind, moment, reach, true, !p_offline, Some(s), &[(p, self.without_p)], Some((s, new_s)), Some(s)))
            }
            Move::FailoverAndReplace(_) if node_s.receives_from(node_p) => {
                let effect = state.effect_of_adding(cluster, s, instance, 0);
                let new_p = without_s.with_primary(node_s, instance, effect, Limits::unless(p_offline)).ok()?;
                Some(self.build(kind, moment, reach, false, !p_offline, Some(s), &[(p, self.without_p), (s, new_p)], None, Some(s)))
            }
            _ => None,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one caller, which names each of them; a struct would only repeat `Frame`")]
    fn build(
        &self,
        kind: Kind,
        moment: &Moment,
        reach: &mut Lanes,
        primary: bool,
        soft: bool,
        other: Option<NodeId>,
        fixed: &[(NodeId, Usage)],
        variable: Option<(NodeId, Usage)>,
        peer: Option<NodeId>,
    ) -> Frame {
        let (table, instance) = (self.table, self.cluster.instance(self.id));
        let (start, squares) = table.ranks.sums_at(moment);
        let delta = if primary { rank::primary(instance) } else { rank::secondary(instance) };
        let mut frame = Frame { kind, primary, delta, sums: start, squares, count: 0.0, roots: 0.0, variable: None, soft, other, peer };
        for (node, usage) in fixed.iter().copied().chain(variable) {
            frame.count += self.change(&mut frame, node, &usage);
        }
        for at in 0..WIDE {
            let by = (frame.sums[at] - start[at]).abs() + (delta[at] * table.largest_unit[at]).abs();
            let more = if at == RESERVED { crate::state::real(instance.reserves()) * table.largest_unit[at] } else { 0.0 };
            reach[at] = reach[at].max(by + more);
        }
        if let Some((node, usage)) = variable
            && let Some(at) = table.place(node)
        {
            let known = self.cluster.node(node);
            let centred = table.ranks.centred(&row(known, &usage))[RESERVED];
            frame.sums[RESERVED] -= centred;
            frame.squares[RESERVED] -= centred * centred;
            let instances = f64::from(usage.primaries + usage.secondaries);
            let unallocated = usage.unallocated(known);
            let n1 = if unallocated <= usage.reserved_memory { instances } else { 0.0 };
            frame.count -= n1 * table.counts.n1;
            frame.variable = Some(Variable { at, reserved: usage.reserved_memory, centred, unallocated, instances });
        }
        frame
    }

    /// Exchanges the row of one of the instance's nodes, and says what its counts change by.
    fn change(&self, frame: &mut Frame, node: NodeId, usage: &Usage) -> f64 {
        let (table, old) = (self.table, self.state.usage(node));
        let Some(at) = table.place(node) else { return table.offline_change(node, old, usage) };
        let new_row = row(self.cluster.node(node), usage);
        let (new, before) = (table.ranks.centred(&new_row), &table.ranks.centred[at]);
        for lane in 0..WIDE {
            frame.sums[lane] += new[lane] - before[lane];
            frame.squares[lane] += new[lane] * new[lane] - before[lane] * before[lane];
        }
        table.row_change(at, &new_row, false)
    }
}

impl Frame {
    /// Takes the roots of those columns that no target changes, as it becomes the secondary node; gives back their squares.
    /// `count`: of nodes.
    pub(super) fn settle(&mut self, count: f64) -> [f64; WIDE - NARROW] {
        let left = std::array::from_fn(|at| {
            let (sum, squares) = (self.sums[NARROW + at], self.squares[NARROW + at]);
            (squares - sum * sum / count).max(0.0)
        });
        self.roots = left.iter().map(|squares: &f64| squares.sqrt()).sum();
        left
    }

    /// Memory of the instances that have their primary on one and their secondary on the other of two nodes, of which one is the
    /// target that `near` is about.
    pub(super) fn own(&self, near: &Near) -> i64 {
        match self.peer {
            None => 0,
            // The target becomes primary, its peer holds the secondary.
            Some(peer) if self.primary => near.primaries[peer.at()],
            Some(peer) => near.secondaries[peer.at()],
        }
    }

    /// [`Self::own`] of all targets at once, written to `own`, which is all 0; gives back which places to clear.
    pub(super) fn own_of_all(&self, cluster: &Cluster, state: &State, own: &mut [i64]) -> Vec<NodeId> {
        let Some(peer) = self.peer else { return Vec::new() };
        let mut used = Vec::new();
        let mut put = |(target, memory): (NodeId, i64)| {
            own[target.at()] += memory;
            used.push(target);
        };
        if self.primary {
            state.peers[peer.at()].iter().for_each(&mut put);
        } else {
            state.reserved_elsewhere(cluster, peer).for_each(&mut put);
        }
        used
    }
}
