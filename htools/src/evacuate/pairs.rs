//! Which pairs of new nodes for an instance can be the best: by running sums, of which a pair changes those of two nodes, and with
//! a bound for each primary node, so that most of them are never looked at.
#![allow(clippy::needless_range_loop, reason = "the lanes of several arrays go in step")]

use super::all::Trial;
use crate::balance::rank::{Lanes, NARROW, RESERVED, Ranks, WIDE};
use crate::id::NodeId;
use crate::moves::Move;
use crate::score::{Board, Counts, Row, lane, row};
use crate::state::{Limits, Usage, real};
use crate::tag;

/// A pair that may be the best: its cheap score, and the places of its nodes among the targets.
type Found = (f64, usize, usize);

/// What the instance makes of a node: how it changes the sums and squares of the columns, and what it counts.
#[derive(Debug, Clone, Copy)]
struct Change {
    sums: Lanes,
    squares: Lanes,
    cost: f64,
}

/// The columns without the instance.
struct Columns<'a> {
    board: &'a Board,
    ranks: Ranks,
    counts: Counts,
    sums: Lanes,
    squares: Lanes,
}

/// What holds for all secondary nodes together, per column.
struct Least {
    squares: Lanes,
    /// The largest change of a sum.
    sums: Lanes,
    cost: f64,
}

/// Pairs of `targets` that are possible and so close to the best that only their scores can tell which it is, in the order in
/// which ties are decided; `None` when cheap scores say nothing.
pub(super) fn finalists(trial: &mut Trial<'_>, board: &Board, targets: &[NodeId]) -> Option<Vec<[NodeId; 2]>> {
    let columns = Columns::without(trial, board, targets)?;
    let primaries: Vec<Option<Change>> = targets.iter().map(|node| columns.primary(trial, *node)).collect();
    let seconds: Vec<Option<Change>> = targets.iter().map(|node| columns.second(trial, *node, 0)).collect();
    let own = own(trial, targets);
    let least = columns.least(trial, targets, &seconds, &own)?;
    let mut queue: Vec<(f64, usize)> = Vec::new();
    let mut low = [f64::INFINITY; WIDE];
    for (at, change) in primaries.iter().enumerate() {
        if let Some(change) = change {
            let left = columns.bound(change, &least);
            low.iter_mut().zip(left).for_each(|(low, left)| *low = low.min(left));
            queue.push((change.cost + least.cost + left.iter().map(|left| left.sqrt()).sum::<f64>(), at));
        }
    }
    queue.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let margin = 2.0 * columns.ranks.tolerance_above(&low);
    let (mut best, mut found) = (f64::INFINITY, Vec::new());
    for (bound, p) in queue {
        if bound > best + margin {
            break;
        }
        if let (Some(change), Ok(())) = (&primaries[p], trial.begin(targets[p])) {
            columns.seconds(trial, targets, (p, change), &seconds, &own[p], (&mut best, margin), &mut found);
        }
        trial.back();
    }
    found.retain(|(score, ..)| *score <= best + margin);
    found.sort_unstable_by_key(|(_, p, s)| (*p, *s));
    Some(found.into_iter().map(|(_, p, s)| [targets[p], targets[s]]).collect())
}

/// Per primary node those secondary nodes that have something of it already: place, memory in MiB.
fn own(trial: &Trial<'_>, targets: &[NodeId]) -> Vec<Vec<(usize, i64)>> {
    let mut place = vec![None; trial.cluster.nodes.len()];
    targets.iter().enumerate().for_each(|(at, node)| place[node.at()] = Some(at));
    let mut own = vec![Vec::new(); targets.len()];
    for (s, node) in targets.iter().enumerate() {
        for (peer, memory) in trial.state.peers[node.at()].iter().filter(|(_, memory)| *memory != 0) {
            if let Some(p) = place[peer.at()] {
                own[p].push((s, memory));
            }
        }
    }
    own
}

impl<'a> Columns<'a> {
    /// `None` when cheap scores say nothing of this instance.
    fn without(trial: &Trial<'_>, board: &'a Board, targets: &[NodeId]) -> Option<Self> {
        let (cluster, state, at) = (trial.cluster, &*trial.state, trial.id.at());
        let (p, s, instance) = (state.primary[at], state.secondary[at]?, cluster.instance(trial.id));
        let ranks = Ranks::new(board);
        let usual =
            ranks.is_sound() && !instance.forthcoming && targets.iter().all(|node| *node != p && *node != s && board.is_online(*node));
        if !usual {
            return None;
        }
        let (sums, squares) = ranks.sums_at(&ranks.now);
        let mut columns = Self { board, counts: board.weights().counts(), sums, squares, ranks };
        let effect = state.effect_of_removing(cluster, p, instance, state.shared[at]);
        let peers = &state.peers[s.at()];
        let without_p = state.usage(p).without_primary(cluster.node(p), instance, effect);
        let without_s = state.usage(s).without_secondary(cluster.node(s), instance, peers.get(p), peers.max_without(p));
        for (node, usage) in [(p, without_p), (s, without_s)] {
            if let Some((_, change)) = columns.change(trial, node, &usage) {
                columns.sums = std::array::from_fn(|lane| columns.sums[lane] + change.sums[lane]);
                columns.squares = std::array::from_fn(|lane| columns.squares[lane] + change.squares[lane]);
            }
        }
        Some(columns)
    }

    /// A node that gets this usage; `None` when it does not count.
    fn change(&self, trial: &Trial<'_>, node: NodeId, usage: &Usage) -> Option<(Row, Change)> {
        let place = self.board.place(node)?;
        let (old, new) = (self.board.rows()[place], row(trial.cluster.node(node), usage));
        let (before, after) = (&self.ranks.centred[place], self.ranks.centred(&new));
        let more = |lane: usize| new[lane] - old[lane];
        let counts = self.counts;
        let cost = counts.n1 * more(lane::N1)
            + counts.tags * more(lane::TAGS)
            + counts.location * more(lane::LOCATION)
            + counts.reserved * more(lane::RESERVED);
        let sums = std::array::from_fn(|lane| after[lane] - before[lane]);
        let squares = std::array::from_fn(|lane| after[lane] * after[lane] - before[lane] * before[lane]);
        Some((old, Change { sums, squares, cost }))
    }

    /// A new primary node. Whether it is possible is asked later.
    fn primary(&self, trial: &Trial<'_>, node: NodeId) -> Option<Change> {
        let (cluster, instance) = (trial.cluster, trial.cluster.instance(trial.id));
        let usage = trial.state.with_primary(cluster, node, instance, 0, Limits::Hard).ok()?;
        let (_, mut change) = self.change(trial, node, &usage)?;
        let from = trial.state.primary[trial.id.at()];
        change.cost += self.counts.pairs * real(self.board.pairs_if(cluster, instance, (Some(from), node)));
        Some(change)
    }

    /// A new secondary node, which has `own` MiB of the primary node already.
    fn second(&self, trial: &Trial<'_>, node: NodeId, own: i64) -> Option<Change> {
        let (known, instance) = (trial.cluster.node(node), trial.cluster.instance(trial.id));
        let usage = trial.state.usage(node).with_secondary(known, instance, own, Limits::Hard, false).ok()?;
        self.change(trial, node, &usage).map(|(_, change)| change)
    }

    fn least(&self, trial: &Trial<'_>, targets: &[NodeId], seconds: &[Option<Change>], own: &[Vec<(usize, i64)>]) -> Option<Least> {
        let mut least = Least { squares: [f64::INFINITY; WIDE], sums: [0.0; WIDE], cost: f64::INFINITY };
        for change in seconds.iter().flatten() {
            for lane in 0..WIDE {
                least.squares[lane] = least.squares[lane].min(change.squares[lane]);
                least.sums[lane] = least.sums[lane].max(change.sums[lane].abs());
            }
            least.cost = least.cost.min(change.cost);
        }
        // A node that has something of the primary node already reserves more, which cannot make its square negative.
        let reserves = trial.cluster.instance(trial.id).reserves();
        for (s, memory) in own.iter().flatten() {
            let place = self.board.place(targets[*s])?;
            let before = self.ranks.centred[place][RESERVED];
            least.squares[RESERVED] = least.squares[RESERVED].min(-before * before);
            let mut full = [0.0; crate::score::LANES];
            full[lane::RESERVED] = real(memory + reserves) / trial.cluster.node(targets[*s]).total_memory;
            least.sums[RESERVED] = least.sums[RESERVED].max(self.ranks.scaled(&full)[RESERVED]);
        }
        Some(least)
    }

    /// Per column the least that any pair with this primary node leaves.
    fn bound(&self, primary: &Change, least: &Least) -> Lanes {
        std::array::from_fn(|lane| {
            let sum = (self.sums[lane] + primary.sums[lane]).abs() + least.sums[lane];
            (self.squares[lane] + primary.squares[lane] + least.squares[lane] - sum * sum / self.ranks.count).max(0.0)
        })
    }

    /// The secondary nodes of one primary node, to which the instance was brought.
    #[expect(clippy::too_many_arguments, reason = "one caller, which has them all at hand")]
    fn seconds(
        &self,
        trial: &Trial<'_>,
        targets: &[NodeId],
        (p, primary): (usize, &Change),
        seconds: &[Option<Change>],
        own: &[(usize, i64)],
        (best, margin): (&mut f64, f64),
        found: &mut Vec<Found>,
    ) {
        let per_node = 1.0 / self.ranks.count;
        let sums: Lanes = std::array::from_fn(|lane| self.sums[lane] + primary.sums[lane]);
        let squares: Lanes = std::array::from_fn(|lane| self.squares[lane] + primary.squares[lane]);
        let root = |lane: usize| (squares[lane] - sums[lane] * sums[lane] * per_node).max(0.0).sqrt();
        let base = primary.cost + (NARROW..WIDE).map(root).sum::<f64>();
        let location = &trial.cluster.node(targets[p]).location;
        let mut consider = |s: usize, second: &Change| {
            let mut roots = [0.0; NARROW];
            for lane in 0..NARROW {
                let sum = sums[lane] + second.sums[lane];
                let left = squares[lane] + second.squares[lane] - sum * sum * per_node;
                roots[lane] = if left > 0.0 { left.sqrt() } else { 0.0 };
            }
            let mut score = base + second.cost + roots.iter().sum::<f64>();
            if !location.is_empty() {
                score += self.counts.location * real(tag::common(location, &trial.cluster.node(targets[s]).location));
            }
            if score <= *best + margin
                && trial.state.trial(trial.cluster, trial.id, Move::ReplaceSecondary(targets[s]), trial.force).is_ok()
            {
                *best = best.min(score);
                found.push((score, p, s));
            }
        };
        let mut special = own.iter().peekable();
        for (s, second) in seconds.iter().enumerate() {
            let memory = special.next_if(|(at, _)| *at == s).map(|(_, memory)| *memory);
            if s == p {
                continue;
            }
            let second = match memory {
                None => *second,
                Some(memory) => self.second(trial, targets[s], memory),
            };
            if let Some(second) = second {
                consider(s, &second);
            }
        }
    }
}
