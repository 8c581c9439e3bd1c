//! The cluster score: twenty components, weighted and summed. Lower is better.
//!
//! Exact ties decide which move or node is chosen, so sums are made in the order in which the reference makes them: columns from
//! left to right in the order of the nodes, the deviation in a second pass, the weighted sum in the order of the table. Nothing
//! here may be reordered or fused.

mod best;
mod board;
mod bound;
mod component;
mod row;
mod sums;
mod weights;

pub(crate) use best::Best;
pub use board::Board;
pub use bound::optimum;
pub use component::{COMPONENTS, Component};
pub(crate) use row::lane;
pub use row::{LANES, Row, row};
pub use sums::{Change, Sums};
pub(crate) use sums::{Rooted, SecondChange};
pub(crate) use weights::Counts;
pub use weights::Weights;

use std::collections::BTreeMap;

use crate::cluster::Cluster;
use crate::id::NodeId;
use crate::state::{State, real};
use row::lane::{LOCATION, N1, RESERVED, TAGS};

/// Sums over the nodes of a scope, from which the components follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// Number of online nodes.
    count: f64,
    /// Per lane: the sum over online nodes.
    sum: Row,
    /// Per lane: the population variance over online nodes; only of the lanes that are spreads.
    variance: Row,
    /// Instances with a disk on offline nodes.
    offline_all: f64,
    /// Instances with their primary there.
    offline_primary: f64,
    /// Uses of (location, exclusion tag) on online nodes.
    pairs: BTreeMap<(u32, u32), i64>,
}

impl Stats {
    /// Sums over `nodes`, which are in index order.
    #[must_use]
    pub fn new(cluster: &Cluster, state: &State, nodes: &[NodeId]) -> Self {
        let online = nodes.iter().filter(|id| !cluster.node(**id).offline);
        let rows: Vec<Row> = online.map(|id| row(cluster.node(*id), state.usage(*id))).collect();
        Self::of_rows(&rows, cluster, state, nodes)
    }

    /// Sums over `nodes`, of which `rows` are the online ones.
    fn of_rows(rows: &[Row], cluster: &Cluster, state: &State, nodes: &[NodeId]) -> Self {
        let (sum, variance) = row::moments(rows);
        let offline = nodes.iter().filter(|id| cluster.node(**id).offline);
        let (mut all, mut primary) = (0, 0);
        for usage in offline.map(|id| state.usage(*id)) {
            all += i64::from(usage.primaries) + i64::from(usage.secondaries);
            primary += i64::from(usage.primaries);
        }
        let mut pairs = BTreeMap::new();
        let online = nodes.iter().filter(|id| !cluster.node(**id).offline);
        for (pair, count) in online.flat_map(|id| state.pairs[id.at()].iter()) {
            *pairs.entry(pair).or_insert(0) += i64::from(count);
        }
        #[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^32 nodes")]
        let count = rows.len() as f64;
        Self { count, sum, variance, offline_all: real(all), offline_primary: real(primary), pairs }
    }

    /// Counts primaries and secondaries that came to an offline node.
    pub fn update_offline(&mut self, primaries: i64, secondaries: i64) {
        self.offline_all += real(primaries + secondaries);
        self.offline_primary += real(primaries);
    }

    /// How much the excess of (location, exclusion tag) pairs grows by adding `pairs` on an online node.
    #[must_use]
    pub fn pair_excess(&self, pairs: &[(u32, u32)]) -> i64 {
        let repeated = |at: usize| self.pairs.contains_key(&pairs[at]) || pairs[..at].contains(&pairs[at]);
        (0..pairs.len()).map(|at| i64::from(repeated(at))).sum()
    }

    /// The value of each component, in the order of [`COMPONENTS`]; nothing when no node is online.
    #[must_use]
    pub fn values(&self) -> Option<[f64; COMPONENTS.len()]> {
        (self.count > 0.0).then(|| COMPONENTS.map(|component| self.value(component.source)))
    }

    /// The score; 0 when no node is online.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.score_with(&Weights::default())
    }

    /// The score by other weights than the usual ones.
    #[must_use]
    pub fn score_with(&self, weights: &Weights) -> f64 {
        let weighted =
            |values: [f64; COMPONENTS.len()]| weights.0.iter().zip(values).fold(0.0, |sum, (weight, value)| sum + weight * value);
        self.values().map_or(0.0, weighted)
    }

    fn value(&self, source: component::Source) -> f64 {
        use component::Source;
        match source {
            Source::Spread(lane) => self.variance[lane].sqrt(),
            Source::N1 => self.sum[N1],
            Source::Tags => self.sum[TAGS],
            Source::Location => self.sum[LOCATION],
            Source::Reserved => self.sum[RESERVED],
            Source::OfflineAll => self.offline_all,
            Source::OfflinePrimary => self.offline_primary,
            Source::Pairs => real(self.pairs.values().map(|count| count - 1).sum()),
        }
    }
}

/// The score of `nodes`.
#[must_use]
pub fn score(cluster: &Cluster, state: &State, nodes: &[NodeId]) -> f64 {
    Stats::new(cluster, state, nodes).score()
}
