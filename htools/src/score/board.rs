//! The score of a scope with a few of its nodes changed, without touching the state: what candidates are compared by.

use super::row::{Row, row};
use super::{COMPONENTS, Stats, Weights};
use crate::cluster::Cluster;
use crate::id::NodeId;
use crate::instance::Instance;
use crate::moves::Trial;
use crate::state::{State, Usage};

/// Rows of the nodes of a scope.
#[derive(Debug, Clone)]
pub struct Board {
    /// Nodes of the scope, in index order.
    nodes: Vec<NodeId>,
    /// Per node of the cluster: its place among the rows; `None` when it is offline or not in the scope.
    place: Vec<Option<usize>>,
    /// Per node of the cluster: it is in the scope and offline.
    offline: Vec<bool>,
    /// Online nodes.
    rows: Vec<Row>,
    stats: Stats,
    weights: Weights,
}

impl Board {
    /// The rows of `nodes`, which are in index order, and the usual weights.
    #[must_use]
    pub fn new(cluster: &Cluster, state: &State, nodes: Vec<NodeId>) -> Self {
        Self::weighted(cluster, state, nodes, Weights::default())
    }

    /// The rows of `nodes`, which are in index order.
    #[must_use]
    pub fn weighted(cluster: &Cluster, state: &State, nodes: Vec<NodeId>, weights: Weights) -> Self {
        let mut place = vec![None; cluster.nodes.len()];
        let mut offline = vec![false; cluster.nodes.len()];
        let mut rows = Vec::new();
        for id in &nodes {
            if cluster.node(*id).offline {
                offline[id.at()] = true;
            } else {
                place[id.at()] = Some(rows.len());
                rows.push(row(cluster.node(*id), state.usage(*id)));
            }
        }
        let stats = Stats::new(cluster, state, &nodes);
        Self { nodes, place, offline, rows, stats, weights }
    }

    /// Nodes of the scope, in index order.
    #[must_use]
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Online nodes of the scope, in index order.
    pub fn online(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes.iter().copied().filter(|id| self.place[id.at()].is_some())
    }

    /// Whether a node is in the scope and online.
    #[must_use]
    pub fn is_online(&self, node: NodeId) -> bool {
        self.place[node.at()].is_some()
    }

    /// The score as it is.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.stats.score_with(&self.weights)
    }

    /// The place of a node among the online ones of the scope.
    pub(crate) fn place(&self, node: NodeId) -> Option<usize> {
        self.place[node.at()]
    }

    /// Whether a node is in the scope and offline.
    pub(crate) fn is_offline(&self, node: NodeId) -> bool {
        self.offline[node.at()]
    }

    /// Rows of the online nodes, in index order.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The score after `trial` of an instance, summed anew.
    pub fn score_after(&mut self, cluster: &Cluster, state: &State, id: crate::InstanceId, trial: &Trial) -> f64 {
        self.score_if(cluster, state, cluster.instance(id), trial.touched(), (Some(state.primary[id.at()]), trial.primary))
    }

    /// The score with the usage of a few nodes replaced, summed anew. `instance` comes to a primary node, and leaves another one
    /// if it was anywhere.
    pub fn score_if(
        &mut self,
        cluster: &Cluster,
        state: &State,
        instance: &Instance,
        touched: &[(NodeId, Usage)],
        (from, to): (Option<NodeId>, NodeId),
    ) -> f64 {
        if self.rows.is_empty() {
            return 0.0;
        }
        let excess = self.pairs_if(cluster, instance, (from, to));
        let mut stats = Stats { pairs: std::mem::take(&mut self.stats.pairs), ..self.stats.clone() };
        let mut kept: [Option<(usize, Row)>; 3] = [None; 3];
        for ((node, usage), kept) in touched.iter().zip(&mut kept) {
            if let Some(at) = self.place[node.at()] {
                *kept = Some((at, self.rows[at]));
                self.rows[at] = row(cluster.node(*node), usage);
            } else if self.offline[node.at()] {
                let old = state.usage(*node);
                stats.update_offline(
                    i64::from(usage.primaries) - i64::from(old.primaries),
                    i64::from(usage.secondaries) - i64::from(old.secondaries),
                );
            }
        }
        (stats.sum, stats.variance) = super::row::moments(&self.rows);
        for (at, old) in kept.into_iter().flatten() {
            self.rows[at] = old;
        }
        let score = stats.score_with_pairs(excess, &self.weights);
        self.stats.pairs = stats.pairs;
        score
    }

    /// How much the cluster-wide excess of (location, exclusion tag) pairs changes.
    pub(crate) fn pair_change(&self, cluster: &Cluster, state: &State, id: crate::InstanceId, trial: &Trial) -> i64 {
        self.pairs_if(cluster, cluster.instance(id), (Some(state.primary[id.at()]), trial.primary))
    }

    /// The same where an instance leaves one primary node, if it was anywhere, and comes to another.
    pub(crate) fn pairs_if(&self, cluster: &Cluster, instance: &Instance, (from, to): (Option<NodeId>, NodeId)) -> i64 {
        if instance.exclusion.is_empty() || instance.forthcoming {
            return 0;
        }
        let pairs_on = |node: NodeId| {
            if self.is_online(node) { crate::state::pairs(cluster, node, instance) } else { Vec::new() }
        };
        let mut counts = std::collections::BTreeMap::new();
        let mut change = 0;
        for (node, sign) in from.map(|node| (node, -1)).into_iter().chain([(to, 1)]) {
            for pair in pairs_on(node) {
                let count = counts.entry(pair).or_insert_with(|| self.stats.pairs.get(&pair).copied().unwrap_or(0));
                let excess = |count: i64| (count - 1).max(0);
                change += excess(*count + sign) - excess(*count);
                *count += sign;
            }
        }
        change
    }

    /// Takes over the usage of nodes that changed.
    pub fn refresh(&mut self, cluster: &Cluster, state: &State) {
        for id in &self.nodes {
            if let Some(at) = self.place[id.at()] {
                self.rows[at] = row(cluster.node(*id), state.usage(*id));
            }
        }
        self.stats = Stats::new(cluster, state, &self.nodes);
    }

    /// Takes over the usage of some nodes; the others have not changed.
    pub fn refresh_some(&mut self, cluster: &Cluster, state: &State, changed: impl IntoIterator<Item = NodeId>) {
        for id in changed {
            if let Some(at) = self.place[id.at()] {
                self.rows[at] = row(cluster.node(id), state.usage(id));
            }
        }
        self.stats = Stats::of_rows(&self.rows, cluster, state, &self.nodes);
    }
}

impl Stats {
    fn score_with_pairs(&self, excess: i64, weights: &Weights) -> f64 {
        let Some(values) = self.values() else { return 0.0 };
        let parts = COMPONENTS.iter().zip(values).zip(weights.0);
        let weighted = parts.map(|((component, value), weight)| match component.source {
            super::component::Source::Pairs => weight * (value + crate::state::real(excess)),
            _ => weight * value,
        });
        weighted.fold(0.0, |sum, part| sum + part)
    }
}
