//! On two nodes, by running sums: a pair costs one update and six roots, and pairs of equal nodes cost them once.

mod alike;

use alike::{Alike, Tables};

use super::solution::sort;
use super::target::Pairs;
use super::{Options, Placement, Solution};
use crate::cluster::Cluster;
use crate::fail::FailMode;
use crate::id::NodeId;
use crate::instance::Instance;
use crate::score::{Change, Rooted, Row, SecondChange, Stats, Sums, row};
use crate::state::{Limits, State, Usage, pairs, real};
use crate::tag;

/// What becomes of a secondary node.
#[derive(Debug, Clone, Copy)]
struct Second {
    usage: Usage,
    change: Option<Change>,
    /// Equal for equal changes.
    class: usize,
}

/// So many nodes for each different change make it worth looking up scores of equal ones instead of computing them.
const ALIKE: usize = 4;

/// Tries each pair; `allows` says whether all nodes stay evacuable.
pub(super) fn allocate(
    cluster: &Cluster,
    state: &State,
    instance: &Instance,
    scope: &[NodeId],
    targets: &Pairs,
    options: &Options,
    mut allows: impl FnMut((NodeId, &Usage), (NodeId, &Usage)) -> bool,
) -> Solution {
    let trial = Trial::new(cluster, state, instance, scope, targets);
    let mut solution = Solution::default();
    let mut candidates = Vec::new();
    let mut alike = Alike::default();
    let mut tables = Tables::new(trial.classes);
    for (p, list) in &targets.primaries {
        let list = &targets.seconds[*list];
        let count = list.iter().filter(|s| *s != p).count();
        let primary = match trial.primary(*p, options) {
            Ok(primary) => primary,
            Err(mode) => {
                solution.fail(mode, count);
                continue;
            }
        };
        candidates.clear();
        let table = tables.of(alike.class(&primary.sums.bits()));
        trial.scores(&primary, list, table, &mut candidates, &mut solution);
        if let Some(best) = trial.best(&primary, &mut candidates, &mut solution, &mut allows) {
            solution.take(best);
        }
    }
    solution
}

struct Trial<'a> {
    cluster: &'a Cluster,
    state: &'a State,
    instance: &'a Instance,
    stats: Stats,
    sums: Sums,
    /// Per node: its row as it is.
    rows: Vec<Row>,
    /// Per node: what it becomes as a secondary, for each amount of memory that it has of the primary node already, nothing
    /// first; empty: not a secondary node.
    seconds: Vec<Vec<(i64, Result<Second, FailMode>)>>,
    /// Per node: its change when it has nothing of the primary node and that is simple, side by side.
    simple: Vec<Option<SecondChange>>,
    /// Per node: nodes that have something of it already, and which of the above holds there.
    peers: Vec<Vec<(NodeId, usize)>>,
    /// Different changes of secondary nodes.
    classes: usize,
    /// Some node has a location.
    located: bool,
}

/// A primary node.
struct Primary {
    id: NodeId,
    /// Without what it shares with the secondary node.
    usage: Usage,
    sums: Sums,
}

impl<'a> Trial<'a> {
    fn new(cluster: &'a Cluster, state: &'a State, instance: &'a Instance, scope: &[NodeId], targets: &Pairs) -> Self {
        let stats = Stats::new(cluster, state, scope);
        let mut trial = Self {
            cluster,
            state,
            instance,
            sums: Sums::from(&stats),
            stats,
            rows: cluster.node_ids().map(|id| row(cluster.node(id), state.usage(id))).collect(),
            seconds: vec![Vec::new(); cluster.nodes.len()],
            simple: vec![None; cluster.nodes.len()],
            peers: vec![Vec::new(); cluster.nodes.len()],
            classes: 0,
            located: cluster.nodes.iter().any(|node| !node.location.is_empty()),
        };
        let mut alike = Alike::default();
        for s in targets.seconds.iter().flatten() {
            let second = trial.second(*s, 0, &mut alike);
            trial.simple[s.at()] = second.ok().and_then(|second| SecondChange::new(&second.change?));
            let mut known = vec![(0, second)];
            for (p, own) in state.peers[s.at()].iter().filter(|(_, memory)| *memory != 0) {
                let at = known.iter().position(|(other, _)| *other == own).unwrap_or_else(|| {
                    known.push((own, trial.second(*s, own, &mut alike)));
                    known.len() - 1
                });
                trial.peers[p.at()].push((*s, at));
            }
            trial.seconds[s.at()] = known;
        }
        trial.classes = alike.count();
        trial
    }

    /// A secondary node on which `own` MiB of the same primary node are reserved already.
    fn second(&self, s: NodeId, own: i64, alike: &mut Alike) -> Result<Second, FailMode> {
        let node = self.cluster.node(s);
        let usage = self.state.usage(s).with_secondary(node, self.instance, own, Limits::All, false)?;
        let change = (!node.offline).then(|| Change::new(&self.rows[s.at()], &row(node, &usage)));
        let class = change.as_ref().map_or(0, |change| alike.class(&change.bits()));
        Ok(Second { usage, change, class })
    }

    fn primary(&self, p: NodeId, options: &Options) -> Result<Primary, FailMode> {
        let node = self.cluster.node(p);
        self.cluster.group(node.group).policy.check(self.instance, node.exclusive_storage)?;
        let limits = Limits::unless(options.ignore_soft_errors);
        let usage = self.state.with_primary(self.cluster, p, self.instance, 0, limits)?;
        let sums = if node.offline {
            let old = self.state.usage(p);
            self.sums.after_offline(i64::from(usage.primaries) - i64::from(old.primaries), 0)
        } else {
            self.sums.after(&Change::new(&self.rows[p.at()], &row(node, &usage)))
        };
        let counts = !node.offline && !self.instance.forthcoming && !self.instance.exclusion.is_empty();
        let excess = if counts { self.stats.pair_excess(&pairs(self.cluster, p, self.instance)) } else { 0 };
        Ok(Primary { id: p, usage, sums: sums.after_pairs(excess) })
    }

    /// The scores of all secondary nodes that are possible. `table`: those that are known, by the class of the change.
    fn scores(&self, primary: &Primary, list: &[NodeId], table: &mut [f64], candidates: &mut Vec<(f64, NodeId)>, solution: &mut Solution) {
        let mut peer = self.peers[primary.id.at()].iter().peekable();
        let differ = self.classes * ALIKE > self.cluster.nodes.len();
        let rooted = (!self.located && differ).then(|| Rooted::new(primary.sums));
        for s in list {
            while peer.next_if(|(known, _)| known < s).is_some() {}
            let at = peer.next_if(|(known, _)| known == s).map_or(0, |(_, at)| *at);
            if *s == primary.id {
                continue;
            }
            if let (0, Some(rooted), Some(change)) = (at, &rooted, &self.simple[s.at()]) {
                candidates.push((rooted.score_after(change), *s));
                continue;
            }
            match self.seconds[s.at()].get(at) {
                None => {}
                Some((_, Err(mode))) => solution.fail(*mode, 1),
                Some((_, Ok(second))) => candidates.push((self.score(primary, *s, second, table), *s)),
            }
        }
    }

    fn score(&self, primary: &Primary, s: NodeId, second: &Second, table: &mut [f64]) -> f64 {
        let shared = self.shared(primary.id, s);
        let sums = if shared == 0 { primary.sums } else { self.with_location(primary, shared) };
        match &second.change {
            Some(change) if shared == 0 => {
                let known = &mut table[second.class];
                if known.is_nan() {
                    *known = sums.after(change).score();
                }
                *known
            }
            Some(change) => sums.after(change).score(),
            None => {
                let old = self.state.usage(s);
                sums.after_offline(0, i64::from(second.usage.secondaries) - i64::from(old.secondaries)).score()
            }
        }
    }

    fn shared(&self, p: NodeId, s: NodeId) -> i64 {
        if self.located && !self.instance.forthcoming {
            tag::common(&self.cluster.node(p).location, &self.cluster.node(s).location)
        } else {
            0
        }
    }

    fn with_location(&self, primary: &Primary, shared: i64) -> Sums {
        if self.cluster.node(primary.id).offline {
            return primary.sums;
        }
        let (old, new) = (self.state.usage(primary.id).location, primary.usage.location + shared);
        primary.sums.with_location(&self.sums, real(old), real(new))
    }

    /// The first, in the order of preference, that is allowed; those before it are failures.
    fn best(
        &self,
        primary: &Primary,
        candidates: &mut [(f64, NodeId)],
        solution: &mut Solution,
        allows: &mut impl FnMut((NodeId, &Usage), (NodeId, &Usage)) -> bool,
    ) -> Option<Placement> {
        let place = |score: f64, s: NodeId| {
            let own = self.state.peers[s.at()].get(primary.id);
            let (_, second) = *self.seconds[s.at()].iter().find(|(known, _)| *known == own)?;
            let mut usage = primary.usage;
            usage.location += self.shared(primary.id, s);
            Some(Placement { primary: (primary.id, usage), secondary: Some((s, second.ok()?.usage)), metric: score })
        };
        let mut good = |placement: &Placement| {
            let second = placement.secondary.as_ref()?;
            allows((placement.primary.0, &placement.primary.1), (second.0, &second.1)).then_some(())
        };
        let mut dropped = 0;
        let mut best = None;
        let first = super::first_of(candidates).and_then(|s| candidates.iter().find(|(_, other)| *other == s).copied());
        if let Some(placement) = first.and_then(|(score, s)| place(score, s)) {
            if good(&placement).is_some() {
                best = Some(placement);
            } else {
                sort(candidates);
                dropped = 1;
                for (score, s) in &candidates[1..] {
                    let placement = place(*score, *s);
                    if placement.as_ref().is_some_and(|placement| good(placement).is_some()) {
                        best = placement;
                        break;
                    }
                    dropped += 1;
                }
            }
        }
        solution.fail(FailMode::GlobalN1, dropped);
        solution.successes += u64::try_from(candidates.len() - dropped).unwrap_or(u64::MAX);
        best
    }
}
