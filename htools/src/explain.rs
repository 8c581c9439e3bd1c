//! Why a new instance has no place: which limit stands in the way on which nodes, and the smallest changes of which any one
//! would make it fit.
//!
//! Each change that is named was tried: with it there is a place. Only single changes are looked for.

mod change;
mod limit;
mod words;

pub use change::Change;
pub use limit::Limit;

use crate::allocate::{self, Options, dedicated};
use crate::cluster::Cluster;
use crate::evacuable;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::state::State;

/// A new instance that has no place. It is the last of the cluster's and not in the state yet.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The cluster, with the instance.
    pub cluster: &'a Cluster,
    /// Where the others are.
    pub state: &'a State,
    /// The instance.
    pub id: InstanceId,
    /// Only this group.
    pub group: Option<GroupId>,
    /// What was heeded.
    pub options: &'a Options,
}

/// What stands in the way of the primary, or of the secondary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The only node, or the first of two.
    Primary,
    /// The second of two; the first would take it.
    Secondary,
}

/// One node that does not take the instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Obstacle {
    /// It.
    pub node: NodeId,
    /// As what.
    pub role: Role,
    /// The first limit that is met there.
    pub limit: Limit,
}

/// A group that is not even tried.
#[derive(Debug, Clone, PartialEq)]
pub enum Closed {
    /// Its policy takes no new instances.
    Unallocable,
    /// It misses the network of that UUID.
    Network(String),
    /// The instance is outside of its policy: what, and the limit.
    Policy(limit::OutOfPolicy),
    /// It has too few usable nodes: how many there are, and are needed.
    TooFewNodes(usize, usize),
}

/// Why there is no place.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explanation {
    /// Groups that are out of the question.
    pub closed: Vec<(GroupId, Closed)>,
    /// Nodes of the others that do not take it, those that are closest to it first.
    pub obstacles: Vec<Obstacle>,
    /// There would be places, but the loss of these nodes could not be made up for then.
    pub lost: Vec<NodeId>,
    /// Nodes whose loss cannot be made up for even now.
    pub lost_already: Vec<NodeId>,
    /// Any one of these makes it fit.
    pub changes: Vec<Change>,
}

/// A cluster with more nodes is large: each try takes long there.
const LARGE: usize = 300;
/// So many places are looked at on a large cluster for what forbids them.
const PLAYED: usize = 2;

impl Question<'_> {
    /// Whether only a few tries can be made.
    fn is_large(&self) -> bool {
        self.cluster.nodes.len() > LARGE
    }

    /// Whether there is a place.
    #[must_use]
    pub fn fits(&self) -> bool {
        let Self { cluster, state, id, group, options } = *self;
        let count = i64::try_from(cluster.instance(id).required_nodes()).unwrap_or(i64::MAX);
        let name = group.map(|group| cluster.group(group).name.as_str());
        if dedicated::is_dedicated(cluster, name) {
            let found = match group {
                Some(group) => dedicated::in_group(cluster, state, id, group, count, options),
                None => dedicated::in_any_group(cluster, state, id, count, options),
            };
            return found.is_ok_and(|(solution, _)| solution.best.is_some());
        }
        let found = match group {
            Some(group) => allocate::in_group(cluster, state, id, group, count, options),
            None => allocate::in_any_group(cluster, state, id, count, options),
        };
        found.is_ok_and(|(solution, _)| solution.best.is_some())
    }

    /// Groups that may take it at all.
    fn groups(&self) -> Vec<GroupId> {
        self.cluster.groups_with_nodes().into_iter().filter(|group| self.group.is_none_or(|wanted| wanted == *group)).collect()
    }

    /// Nodes of a group that may take it.
    fn nodes(&self, group: GroupId) -> Vec<NodeId> {
        let allowed = |id: &NodeId| {
            let node = self.cluster.node(*id);
            !node.offline && self.options.restrict_to.as_ref().is_none_or(|names| names.contains(&node.name))
        };
        self.cluster.nodes_of(group).filter(allowed).collect()
    }

    /// Why there is no place; with nothing in it when there is one.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        if self.fits() {
            return Explanation::default();
        }
        let mut found = Explanation::default();
        for group in self.groups() {
            match self.closed(group) {
                Some(why) => found.closed.push((group, why)),
                None => self.look_at(group, &mut found),
            }
        }
        found
            .obstacles
            .sort_by(|a, b| (a.role, a.limit.kind()).cmp(&(b.role, b.limit.kind())).then(a.limit.gap().total_cmp(&b.limit.gap())));
        if self.options.capacity {
            let scope = self.options.scope(self.cluster.node_ids().collect());
            found.lost_already = evacuable::failing(self.cluster, self.state, &scope);
            found.lost.retain(|node| !found.lost_already.contains(node));
        }
        found.changes = change::all(self, &found);
        found
    }

    fn closed(&self, group: GroupId) -> Option<Closed> {
        let known = self.cluster.group(group);
        let instance = self.cluster.instance(self.id);
        if self.group.is_none() && !known.is_allocable() {
            return Some(Closed::Unallocable);
        }
        if let Some(network) = instance.nics.iter().flatten().find(|network| !known.networks.contains(network)) {
            return Some(Closed::Network(network.clone()));
        }
        let nodes = self.nodes(group);
        let needed = instance.required_nodes();
        if nodes.len() < needed {
            return Some(Closed::TooFewNodes(nodes.len(), needed));
        }
        let exclusive = nodes.iter().all(|node| self.cluster.node(*node).exclusive_storage);
        limit::out_of_policy(&known.policy, instance, exclusive).map(Closed::Policy)
    }

    /// Tries each node of a group.
    fn look_at(&self, group: GroupId, found: &mut Explanation) {
        let Self { cluster, state, options, .. } = *self;
        let instance = cluster.instance(self.id);
        let nodes = self.nodes(group);
        let mut takers = Vec::new();
        for node in &nodes {
            match limit::of_primary(cluster, state, *node, instance, options) {
                None => takers.push(*node),
                Some(limit) => found.obstacles.push(Obstacle { node: *node, role: Role::Primary, limit }),
            }
        }
        if !instance.has_secondary() {
            let most = if self.is_large() { PLAYED } else { takers.len() };
            for node in takers.into_iter().take(most) {
                self.play(node, None, found);
            }
            return;
        }
        // A node that no taker can have as its secondary is told with what stands in the way beside the first of them.
        let mut pairs = Vec::new();
        for node in &nodes {
            let partners: Vec<NodeId> = takers.iter().copied().filter(|taker| taker != node).collect();
            let beside = |taker: &NodeId| limit::of_secondary(cluster, state, *node, instance, *taker);
            let good: Vec<NodeId> = partners.iter().copied().filter(|taker| beside(taker).is_none()).collect();
            if let (true, Some(limit)) = (good.is_empty(), partners.first().and_then(beside)) {
                found.obstacles.push(Obstacle { node: *node, role: Role::Secondary, limit });
            }
            pairs.extend(good.into_iter().map(|taker| (taker, *node)));
        }
        if let Some((primary, secondary)) = pairs.first() {
            self.play(*primary, Some(*secondary), found);
        }
    }

    /// There is room on these nodes, so it is the loss of a node that forbids it: of which one?
    fn play(&self, primary: NodeId, secondary: Option<NodeId>, found: &mut Explanation) {
        let Self { cluster, state, options, .. } = *self;
        let instance = cluster.instance(self.id);
        let limits = crate::state::Limits::unless(options.ignore_soft_errors);
        let Ok(first) = state.with_primary(cluster, primary, instance, 0, limits) else { return };
        let second = secondary
            .and_then(|node| Some((node, state.with_secondary(cluster, node, instance, primary, crate::state::Limits::All).ok()?)));
        let mut after = state.clone();
        after.place(cluster, self.id, (primary, first), second);
        let scope = options.scope(cluster.node_ids().collect());
        for node in evacuable::failing(cluster, &after, &scope) {
            if !found.lost.contains(&node) {
                found.lost.push(node);
            }
        }
    }
}
