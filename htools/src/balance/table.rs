//! What is known of all online nodes of a group, side by side: what a target must be asked, and what its columns are.

use super::rank::{self, Lanes, Ranks};
use crate::cluster::Cluster;
use crate::id::NodeId;
use crate::node::Node;
use crate::score::{Board, Counts, Row, lane};
use crate::state::{State, Usage, real};

/// What a target has left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub node: NodeId,
    pub unallocated: i64,
    pub reserved: i64,
    pub fails_n1: bool,
    pub instances: f64,
    /// What it adds to the N+1 count, not weighted.
    pub n1: f64,
    pub disk: i64,
    pub disk_floor: i64,
    pub spindles: f64,
    pub spindle_limit: f64,
    /// Virtual CPUs below the limit; negative when it is over it.
    pub vcpus: i64,
    /// What one MiB of reserved memory costs by itself.
    pub reserved_price: f64,
}

/// Between which numbers the columns of all nodes lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub moved: (Lanes, Lanes),
    pub unit: (Lanes, Lanes),
}

/// All online nodes.
#[derive(Debug)]
pub(super) struct Table {
    pub ranks: Ranks,
    pub rooms: Vec<Room>,
    /// Per online node what its columns change by, per unit.
    pub units: Vec<Lanes>,
    pub largest_unit: Lanes,
    /// Per online node its columns times its units.
    pub moved: Vec<Lanes>,
    pub span: Span,
    /// Places of the online nodes, those with the most free memory, or disk space, first: more often than not the better targets.
    pub by_memory: Vec<usize>,
    pub by_disk: Vec<usize>,
    /// How far a cheap score can be from the score.
    pub slack: f64,
    /// A node counts as failing N+1 that would not after a change, as Ganeti 3.0 has it: what comes to it may be a gain.
    pub lenient: bool,
    pub counts: Counts,
    /// Per node of the cluster: its place among the online ones.
    place: Vec<Option<usize>>,
    offline: Vec<bool>,
    rows: Vec<Row>,
    /// Columns are not in proportion to quantities: exclusive storage.
    pub bent: bool,
    /// Locations or wishes count.
    pub located: bool,
}

impl Table {
    pub(super) fn new(cluster: &Cluster, state: &State, board: &Board) -> Self {
        let ranks = Ranks::new(board);
        let online: Vec<NodeId> = board.online().collect();
        let units: Vec<Lanes> = online.iter().map(|id| rank::per_unit(&ranks, cluster.node(*id))).collect();
        let mut largest_unit = [0.0; rank::WIDE];
        for unit in &units {
            for (largest, unit) in largest_unit.iter_mut().zip(unit) {
                *largest = unit.abs().max(*largest);
            }
        }
        let mut table = Self {
            ranks,
            rooms: Vec::new(),
            moved: Vec::new(),
            span: Span { moved: ([0.0; rank::WIDE], [0.0; rank::WIDE]), unit: rank::span(&units) },
            by_memory: (0..units.len()).collect(),
            by_disk: (0..units.len()).collect(),
            slack: 0.0,
            lenient: false,
            units,
            largest_unit,
            counts: board.weights().counts(),
            place: cluster.node_ids().map(|id| board.place(id)).collect(),
            offline: cluster.node_ids().map(|id| board.is_offline(id)).collect(),
            rows: board.rows().to_vec(),
            bent: board.nodes().iter().any(|id| cluster.node(*id).exclusive_storage),
            // Wishes count where no node has a location, too: a primary on an offline node counts nothing.
            located: board.nodes().iter().any(|id| !cluster.node(*id).location.is_empty())
                || cluster.instances.iter().any(|instance| !instance.wishes.is_empty()),
        };
        table.rooms = online.iter().map(|id| table.room(cluster, state, *id)).collect();
        table.sort();
        table
    }

    /// Takes over what has changed.
    pub(super) fn refresh(&mut self, cluster: &Cluster, state: &State, board: &Board, changed: &[NodeId]) {
        self.ranks.refresh(board.rows());
        for id in changed {
            if let Some(at) = self.place(*id) {
                self.rows[at] = board.rows()[at];
                self.rooms[at] = self.room(cluster, state, *id);
            }
        }
        self.sort();
    }

    /// What follows from the columns and rooms.
    fn sort(&mut self) {
        self.moved.clear();
        let pairs = self.ranks.centred.iter().zip(&self.units);
        self.moved.extend(pairs.map(|(centred, unit)| std::array::from_fn(|lane| centred[lane] * unit[lane])));
        self.span.moved = rank::span(&self.moved);
        self.slack = self.ranks.tolerance(&self.ranks.now);
        let rooms = &self.rooms;
        self.lenient = rooms.iter().any(|room| room.fails_n1 && room.unallocated > room.reserved);
        self.by_memory.sort_by_key(|at| std::cmp::Reverse(rooms[*at].unallocated));
        self.by_disk.sort_by_key(|at| std::cmp::Reverse(rooms[*at].disk));
    }

    pub(super) fn place(&self, node: NodeId) -> Option<usize> {
        self.place[node.at()]
    }

    /// Whether cheap scores mean something.
    pub(super) fn is_sound(&self) -> bool {
        self.ranks.is_sound() && self.units.iter().flatten().all(|unit| unit.is_finite())
    }

    /// What the counts change by, weighted, when the node at `at` gets this row.
    pub(super) fn row_change(&self, at: usize, new: &Row, location: bool) -> f64 {
        let (old, counts) = (&self.rows[at], self.counts);
        let change = |lane: usize| new[lane] - old[lane];
        let located = if location { counts.location * change(lane::LOCATION) } else { 0.0 };
        counts.n1 * change(lane::N1) + counts.tags * change(lane::TAGS) + counts.reserved * change(lane::RESERVED) + located
    }

    /// What the counts of instances on offline nodes change by, weighted.
    pub(super) fn offline_change(&self, node: NodeId, old: &Usage, new: &Usage) -> f64 {
        if !self.offline[node.at()] {
            return 0.0;
        }
        let primaries = f64::from(new.primaries) - f64::from(old.primaries);
        let secondaries = f64::from(new.secondaries) - f64::from(old.secondaries);
        self.counts.offline_all * (primaries + secondaries) + self.counts.offline_primary * primaries
    }

    fn room(&self, cluster: &Cluster, state: &State, id: NodeId) -> Room {
        let (node, usage) = (cluster.node(id), state.usage(id));
        let instances = f64::from(usage.primaries) + f64::from(usage.secondaries);
        Room {
            node: id,
            unallocated: usage.unallocated(node),
            reserved: usage.reserved_memory,
            fails_n1: usage.fails_n1,
            instances,
            n1: if usage.fails_n1 { instances } else { 0.0 },
            disk: usage.free_disk,
            disk_floor: node.disk_floor(),
            spindles: usage.spindle_use,
            spindle_limit: node.spindle_limit(),
            vcpus: vcpus_left(node, usage),
            reserved_price: self.counts.reserved / node.total_memory,
        }
    }
}

/// How many virtual CPUs can be added: the largest number that the check of the limit lets pass.
fn vcpus_left(node: &Node, usage: &Usage) -> i64 {
    if node.vcpu_ratio < 0.0 || !node.cpus.is_finite() || node.cpus <= 0.0 {
        return i64::MAX;
    }
    let over = |vcpus: i64| node.vcpu_ratio < real(vcpus) / node.cpus;
    let about = node.vcpu_limit();
    let most = [about.saturating_add(1), about, about.saturating_sub(1)]
        .into_iter()
        .find(|vcpus| !over(*vcpus))
        .unwrap_or(about.saturating_sub(2));
    most.saturating_sub(usage.vcpus)
}
