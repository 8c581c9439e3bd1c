//! What the nodes of an instance would look like after a move.

use super::Move;
use crate::cluster::Cluster;
use crate::fail::FailMode;
use crate::id::{InstanceId, NodeId};
use crate::instance::Instance;
use crate::state::{Effect, Limits, State, Usage};
use crate::tag;

/// The outcome of a move that is possible.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    touched: [(NodeId, Usage); 3],
    count: usize,
    /// The new primary node.
    pub primary: NodeId,
    /// The new secondary node.
    pub secondary: Option<NodeId>,
    /// Failure causes that the new nodes share.
    pub shared: i64,
}

impl Trial {
    /// Nodes that change, with their new numbers.
    #[must_use]
    pub fn touched(&self) -> &[(NodeId, Usage)] {
        &self.touched[..self.count]
    }

    fn two(a: (NodeId, Usage), b: (NodeId, Usage), primary: NodeId, secondary: Option<NodeId>, shared: i64) -> Self {
        Self { touched: [a, b, a], count: 2, primary, secondary, shared }
    }

    fn three(touched: [(NodeId, Usage); 3], primary: NodeId, secondary: NodeId, shared: i64) -> Self {
        Self { touched, count: 3, primary, secondary: Some(secondary), shared }
    }
}

/// An instance with the nodes that it leaves.
struct Leaving<'a> {
    state: &'a State,
    cluster: &'a Cluster,
    instance: &'a Instance,
    force: bool,
    /// Its primary node, and that without it.
    p: NodeId,
    without_p: Usage,
    /// Its secondary node, and that without it.
    s: NodeId,
    without_s: Usage,
    /// What its loss means for the primary node.
    left: Effect,
}

impl State {
    /// What a move would make of the nodes. `force` lifts the soft limits.
    ///
    /// # Errors
    /// The first limit that stands in the way.
    pub fn trial(&self, cluster: &Cluster, id: InstanceId, chosen: Move, force: bool) -> Result<Trial, FailMode> {
        let instance = cluster.instance(id);
        let (p, shared) = (self.primary[id.at()], self.shared[id.at()]);
        let left = self.effect_of_removing(cluster, p, instance, shared);
        let without_p = self.usage(p).without_primary(cluster.node(p), instance, left);
        if let Move::FailoverToAny(t) = chosen {
            migration(cluster, p, t)?;
            let limits = Limits::unless(force || cluster.node(p).offline);
            let new = self.with_primary(cluster, t, instance, shared, limits)?;
            return Ok(Trial::two((p, without_p), (t, new), t, self.secondary[id.at()], shared));
        }
        // Loaders see to it that what has a mirror has a secondary node, or is not moved.
        let s = self.secondary[id.at()].ok_or(FailMode::Internal)?;
        let peers = &self.peers[s.at()];
        let without_s = self.usage(s).without_secondary(cluster.node(s), instance, peers.get(p), peers.max_without(p));
        let leaving = Leaving { state: self, cluster, instance, force, p, without_p, s, without_s, left };
        match chosen {
            Move::Failover => leaving.failover(shared),
            Move::ReplacePrimary(t) => leaving.replace_primary(t),
            Move::ReplaceSecondary(t) => leaving.replace_secondary(t),
            Move::ReplaceAndFailover(t) => leaving.replace_and_failover(t),
            Move::FailoverAndReplace(t) => leaving.failover_and_replace(t),
            Move::FailoverToAny(_) => Err(FailMode::Internal),
        }
    }
}

impl Leaving<'_> {
    fn failover(&self, shared: i64) -> Result<Trial, FailMode> {
        let offline = self.cluster.node(self.p).offline;
        let limits = Limits::unless(self.force || offline);
        migration(self.cluster, self.p, self.s)?;
        let new_p = self.add_primary_to_s(shared, limits)?;
        let new_s = self.add_secondary_to_p(self.s, limits, offline)?;
        Ok(Trial::two((self.p, new_s), (self.s, new_p), self.s, Some(self.p), shared))
    }

    fn replace_primary(&self, t: NodeId) -> Result<Trial, FailMode> {
        let limits = Limits::unless(self.force || self.cluster.node(self.p).offline);
        let shared = self.shared(t, self.s);
        migration(self.cluster, self.p, self.s)?;
        migration(self.cluster, self.s, t)?;
        let node = self.cluster.node(self.s);
        let passing = self.state.effect_of_adding(self.cluster, self.s, self.instance, shared);
        let there = self.without_s.with_primary(node, self.instance, passing, limits)?;
        let gone = there.without_primary(node, self.instance, passing);
        let new_p = self.state.with_primary(self.cluster, t, self.instance, shared, limits)?;
        let own = self.state.peers[self.s.at()].get(t);
        let new_s = gone.with_secondary(node, self.instance, own, limits, false)?;
        Ok(Trial::three([(self.p, self.without_p), (self.s, new_s), (t, new_p)], t, self.s, shared))
    }

    fn replace_secondary(&self, t: NodeId) -> Result<Trial, FailMode> {
        let limits = Limits::unless(self.force || self.cluster.node(self.s).offline);
        let shared = self.shared(self.p, t);
        let new_s = self.state.with_secondary(self.cluster, t, self.instance, self.p, limits)?;
        // Of the tags nothing changes: what went with it comes back with it.
        let wishes = self.state.effect_of_adding(self.cluster, self.p, self.instance, shared).location;
        let back = Effect { location: wishes, ..self.left };
        let new_p = self.without_p.with_primary(self.cluster.node(self.p), self.instance, back, Limits::Hard)?;
        Ok(Trial::three([(self.p, new_p), (self.s, self.without_s), (t, new_s)], self.p, t, shared))
    }

    fn replace_and_failover(&self, t: NodeId) -> Result<Trial, FailMode> {
        let shared = self.shared(t, self.p);
        migration(self.cluster, self.p, t)?;
        let new_p = self.state.with_primary(self.cluster, t, self.instance, shared, Limits::unless(self.force))?;
        let limits = Limits::unless(self.force || self.cluster.node(self.s).offline);
        let new_s = self.add_secondary_to_p(t, limits, false)?;
        Ok(Trial::three([(self.p, new_s), (self.s, self.without_s), (t, new_p)], t, self.p, shared))
    }

    fn failover_and_replace(&self, t: NodeId) -> Result<Trial, FailMode> {
        let limits = Limits::unless(self.force || self.cluster.node(self.p).offline);
        let shared = self.shared(self.s, t);
        migration(self.cluster, self.p, self.s)?;
        let new_p = self.add_primary_to_s(shared, limits)?;
        let new_s = self.state.with_secondary(self.cluster, t, self.instance, self.s, limits)?;
        Ok(Trial::three([(self.p, self.without_p), (self.s, new_p), (t, new_s)], self.s, t, shared))
    }

    /// The old secondary as primary.
    fn add_primary_to_s(&self, shared: i64, limits: Limits) -> Result<Usage, FailMode> {
        let effect = self.state.effect_of_adding(self.cluster, self.s, self.instance, shared);
        self.without_s.with_primary(self.cluster.node(self.s), self.instance, effect, limits)
    }

    /// The old primary as secondary of an instance on `primary`.
    fn add_secondary_to_p(&self, primary: NodeId, limits: Limits, ignore_disk: bool) -> Result<Usage, FailMode> {
        let own = self.state.peers[self.p.at()].get(primary);
        self.without_p.with_secondary(self.cluster.node(self.p), self.instance, own, limits, ignore_disk)
    }

    fn shared(&self, a: NodeId, b: NodeId) -> i64 {
        tag::common(&self.cluster.node(a).location, &self.cluster.node(b).location)
    }
}

fn migration(cluster: &Cluster, source: NodeId, target: NodeId) -> Result<(), FailMode> {
    if cluster.node(target).receives_from(cluster.node(source)) { Ok(()) } else { Err(FailMode::Migration) }
}
