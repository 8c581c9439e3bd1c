//! A search that goes on where the greedy one ends: takes some moves out of the best plan, goes on from what is left by the greedy
//! search, and keeps what is better. Every plan is made of moves that the greedy search could have made, so all its states are
//! legal; the greedy plan is the first, so none is worse.

use super::{Options, Search};
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::job::Planned;
use crate::moves::Move;
use crate::state::State;

/// Two plans whose costs are closer than this are equally good: fewer moves decide.
const EQUAL: f64 = 1e-9;

/// How hard to search. It does not depend on time: the same effort gives the same plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Where the random choices begin.
    pub seed: u64,
    /// Plans to try.
    pub rounds: u64,
}

struct Plan {
    steps: Vec<Planned>,
    cost: f64,
    copied: f64,
    state: State,
}

impl Plan {
    fn better_than(&self, other: &Self) -> bool {
        if (self.cost - other.cost).abs() > EQUAL {
            return self.cost < other.cost;
        }
        (self.steps.len(), self.copied) < (other.steps.len(), other.copied)
    }
}

/// The best plan that was found, with no more moves than [`Options::max_length`], or than the greedy plan has; `state` is what it
/// leaves.
pub fn improve(cluster: &Cluster, state: &mut State, nodes: &[NodeId], options: &Options, enough: f64, effort: Effort) -> Vec<Planned> {
    let start = state.clone();
    let make = |keep: &[(InstanceId, Move)], resting: Vec<InstanceId>, options: &Options| {
        let mut state = start.clone();
        let mut search = Search::new(cluster, &mut state, nodes.to_vec(), options);
        let mut steps: Vec<Planned> = keep.iter().filter_map(|(id, chosen)| search.repeat(*id, *chosen)).collect();
        // First without those that were taken out, so that something else is tried; then with all.
        for resting in [resting, Vec::new()] {
            search.resting = resting;
            steps.extend(std::iter::from_fn(|| search.step(enough)));
        }
        let (score, copied) = (search.score, search.copied);
        Plan { steps, cost: score + options.price * copied, copied, state }
    };
    let mut best = make(&[], Vec::new(), options);
    let budget = i64::try_from(best.steps.len()).unwrap_or(i64::MAX);
    let options = Options { max_length: if options.max_length < 0 { budget } else { options.max_length }, ..options.clone() };
    let mut chance = Chance(effort.seed);
    for _ in 0..if best.steps.is_empty() { 0 } else { effort.rounds } {
        let (keep, out) = take_out(&best.steps, &mut chance);
        let plan = make(&keep, out, &options);
        if plan.better_than(&best) {
            best = plan;
        }
    }
    *state = best.state;
    best.steps
}

/// The moves that stay, and instances whose moves were taken out and that rest for a while.
fn take_out(steps: &[Planned], chance: &mut Chance) -> (Vec<(InstanceId, Move)>, Vec<InstanceId>) {
    let kind = chance.below(3);
    let at = chance.below(steps.len());
    let many = 2 + chance.below(steps.len().div_ceil(3).max(2));
    let stays: Vec<bool> = (0..steps.len())
        .map(|other| match kind {
            // All moves of one instance.
            0 => steps[other].instance != steps[at].instance,
            // Some moves in a row.
            1 => other < at || other >= at + many,
            // One of so many.
            _ => chance.below(many) != 0,
        })
        .collect();
    let of = |wanted: bool| steps.iter().zip(&stays).filter(move |(_, stays)| **stays == wanted).map(|(step, _)| step);
    let keep = of(true).map(|step| (step.instance, step.chosen)).collect();
    let mut resting: Vec<InstanceId> = of(false).map(|step| step.instance).filter(|_| chance.below(2) == 0).collect();
    resting.sort_unstable();
    resting.dedup();
    (keep, resting)
}

/// Random numbers that are the same everywhere (SplitMix64).
struct Chance(u64);

impl Chance {
    /// A number below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or(0) % limit
    }
}
