//! What came of an allocation.

use std::cmp::Ordering;

use crate::cluster::Cluster;
use crate::fail::{FailCounts, FailMode};
use crate::id::NodeId;
use crate::show::number::fixed;
use crate::state::Usage;

/// A place for an instance, with what would be taken of its nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement<M = f64> {
    /// The primary node.
    pub primary: (NodeId, Usage),
    /// The secondary node.
    pub secondary: Option<(NodeId, Usage)>,
    /// How good it is; less is better.
    pub metric: M,
}

impl<M> Placement<M> {
    /// Its nodes, the primary one first.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::once(self.primary.0).chain(self.secondary.map(|(node, _)| node))
    }

    /// Names of its nodes, the primary one first.
    #[must_use]
    pub fn names(&self, cluster: &Cluster) -> Vec<String> {
        self.nodes().map(|node| cluster.node(node).name.clone()).collect()
    }
}

/// The best place, and how the others fared.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution<M = f64> {
    /// Why places were not possible.
    pub failures: FailCounts,
    /// Places that were possible. Of each primary node, those that are better than the first one that leaves all nodes evacuable
    /// are not among them.
    pub successes: u64,
    /// The best place.
    pub best: Option<Placement<M>>,
}

impl<M> Default for Solution<M> {
    fn default() -> Self {
        Self { failures: FailCounts::default(), successes: 0, best: None }
    }
}

impl<M: PartialOrd> Solution<M> {
    /// Takes a better place, or an equal one: the later one wins.
    pub(super) fn take(&mut self, new: Placement<M>) {
        let keep = self.best.as_ref().is_some_and(|old| old.metric.partial_cmp(&new.metric) == Some(Ordering::Less));
        if !keep {
            self.best = Some(new);
        }
    }

    /// In words, as the reference has it; `metric` words the metric.
    #[must_use]
    pub fn describe(&self, cluster: &Cluster, metric: impl Fn(&M) -> String) -> String {
        let reasons: Vec<String> = self.failures.seen().map(|(mode, count)| format!("{mode}: {count}")).collect();
        let reasons = reasons.join(", ");
        match &self.best {
            None if self.failures.total() == 0 => "No valid allocation solutions, failure reasons: unknown reasons".to_owned(),
            None => format!("No valid allocation solutions, failure reasons: {reasons}"),
            Some(best) => format!(
                "score: {}, successes {}, failures {} ({reasons}) for node(s) {}",
                metric(&best.metric),
                self.successes,
                self.failures.total(),
                best.names(cluster).join("/")
            ),
        }
    }
}

impl Solution {
    /// In words.
    #[must_use]
    pub fn description(&self, cluster: &Cluster) -> String {
        self.describe(cluster, |score| fixed(*score, 8))
    }
}

/// Puts candidates, which are in the order of the nodes, into the order of preference: lower scores first, of equals the later.
/// Where scores are not numbers they have no order, and the first ones come first.
pub(super) fn sort<T>(candidates: &mut [(f64, T)]) {
    if candidates.iter().any(|(score, _)| score.is_nan()) {
        return;
    }
    candidates.reverse();
    candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
}

/// The candidate that [`sort`] would put first.
pub(crate) fn first_of<T: Copy>(candidates: &[(f64, T)]) -> Option<T> {
    if candidates.iter().any(|(score, _)| score.is_nan()) {
        return candidates.first().map(|(_, found)| *found);
    }
    let mut best: Option<&(f64, T)> = None;
    for candidate in candidates {
        if best.is_none_or(|best| candidate.0 <= best.0) {
            best = Some(candidate);
        }
    }
    best.map(|(_, found)| *found)
}

impl<M: PartialOrd> Solution<M> {
    /// Counts so many failures of one kind.
    pub(super) fn fail(&mut self, mode: FailMode, count: usize) {
        self.failures.add_many(mode, u64::try_from(count).unwrap_or(u64::MAX));
    }
}
