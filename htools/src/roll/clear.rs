//! Freeing nodes of instances, greedily, each to the first node that has room. Soft limits do not count.

use crate::cluster::Cluster;
use crate::fail::FailMode;
use crate::id::{InstanceId, NodeId};
use crate::state::{Limits, State, Step, Undo};
use crate::tag;

/// What a node is freed of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Instances without a second node.
    NonRedundant,
    /// Copies of instances whose primary is another node.
    Secondaries,
}

/// A state that is tried out and always brought back.
pub(super) struct Clearing<'a> {
    cluster: &'a Cluster,
    state: &'a mut State,
    undo: Vec<Undo>,
    /// Per group: its nodes that are online.
    online: Vec<Vec<NodeId>>,
}

impl<'a> Clearing<'a> {
    pub(super) fn new(cluster: &'a Cluster, state: &'a mut State) -> Self {
        let mut online = vec![Vec::new(); cluster.groups.len()];
        for id in cluster.node_ids().filter(|id| !cluster.node(*id).offline) {
            online[cluster.node(id).group.at()].push(id);
        }
        Self { cluster, state, undo: Vec::new(), online }
    }

    /// Splits `nodes` into sets that can be freed together, and calls `found` with each while it is. `false`: a node cannot be
    /// freed even alone.
    pub(super) fn split(&mut self, kind: Kind, nodes: &[NodeId], mut found: impl FnMut(&mut Self, &[NodeId])) -> bool {
        let before = self.undo.len();
        let mut left = nodes.to_vec();
        while !left.is_empty() {
            let freed = self.free(kind, &left);
            if !freed.iter().any(|freed| *freed) {
                return false;
            }
            let set: Vec<NodeId> = left.iter().zip(&freed).filter(|(_, freed)| **freed).map(|(id, _)| *id).collect();
            found(self, &set);
            self.back_to(before);
            left = left.into_iter().zip(freed).filter(|(_, freed)| !freed).map(|(id, _)| id).collect();
        }
        true
    }

    /// Frees as many of `nodes` as possible, and says which.
    fn free(&mut self, kind: Kind, nodes: &[NodeId]) -> Vec<bool> {
        let mut closed = vec![false; self.cluster.nodes.len()];
        let one = |node: &NodeId| {
            let before = self.undo.len();
            closed[node.at()] = true;
            let instances = self.instances(kind, *node);
            let freed = instances.into_iter().all(|id| self.place(kind, id, *node, &closed));
            if !freed {
                self.back_to(before);
                closed[node.at()] = false;
            }
            freed
        };
        nodes.iter().map(one).collect()
    }

    fn instances(&self, kind: Kind, node: NodeId) -> Vec<InstanceId> {
        match kind {
            Kind::NonRedundant => {
                let primaries = self.state.primaries[node.at()].iter().copied();
                primaries.filter(|id| !self.cluster.instance(*id).has_secondary()).collect()
            }
            Kind::Secondaries => self.state.secondaries[node.at()].clone(),
        }
    }

    /// Moves an instance off `node` to the first node of its group that is not closed and has room.
    fn place(&mut self, kind: Kind, id: InstanceId, node: NodeId, closed: &[bool]) -> bool {
        let targets = &self.online[self.cluster.node(node).group.at()];
        let found = targets.iter().filter(|target| !closed[target.at()]).find_map(|target| match kind {
            Kind::NonRedundant => relocate(self.cluster, self.state, id, *target),
            Kind::Secondaries => replace_secondary(self.cluster, self.state, id, *target),
        });
        let placed = found.is_some();
        self.undo.extend(found);
        placed
    }

    /// Migrates all instances with a second node off `nodes`.
    pub(super) fn migrate_off(&mut self, nodes: &[NodeId]) -> Result<(), FailMode> {
        let primaries = nodes.iter().flat_map(|node| self.state.primaries[node.at()].iter().copied());
        let instances: Vec<InstanceId> = primaries.filter(|id| self.cluster.instance(*id).has_secondary()).collect();
        for id in instances {
            let undo = migrate(self.cluster, self.state, id)?;
            self.undo.push(undo);
        }
        Ok(())
    }

    /// What moved since `first`: see [`super::Step::moves`].
    pub(super) fn moves(&self, first: &(Vec<NodeId>, Vec<Option<NodeId>>)) -> Vec<(InstanceId, NodeId, Option<NodeId>)> {
        let moved = |id: &InstanceId| {
            let (old, new) = ((first.0[id.at()], first.1[id.at()]), (self.state.primary[id.at()], self.state.secondary[id.at()]));
            let changed = new.0 != old.0 || (self.cluster.instance(*id).has_secondary() && new.1 != old.1);
            changed && !(Some(new.0) == old.1 && new.1 == Some(old.0))
        };
        let second = |id: InstanceId| self.state.secondary[id.at()].filter(|_| self.cluster.instance(id).has_secondary());
        self.cluster.instance_ids().filter(moved).map(|id| (id, self.state.primary[id.at()], second(id))).collect()
    }

    /// Takes everything back.
    pub(super) fn back(&mut self) {
        self.back_to(0);
    }

    fn back_to(&mut self, length: usize) {
        while self.undo.len() > length {
            if let Some(undo) = self.undo.pop() {
                self.state.undo(undo);
            }
        }
    }
}

/// Another primary node for an instance that has only one. Tags that restrict migration are not looked at, as in the reference.
fn relocate(cluster: &Cluster, state: &mut State, id: InstanceId, target: NodeId) -> Option<Undo> {
    let instance = cluster.instance(id);
    let (old, shared) = (state.primary[id.at()], state.shared[id.at()]);
    let needed = if instance.uses_memory() { instance.memory } else { 0 };
    if state.usage(target).unallocated(cluster.node(target)) <= needed {
        return None;
    }
    let arrived = state.with_primary(cluster, target, instance, shared, Limits::Hard).ok()?;
    let effect = state.effect_of_removing(cluster, old, instance, shared);
    let left = state.usage(old).without_primary(cluster.node(old), instance, effect);
    let undo = state.remember(id, [old, target]);
    state.list(cluster, id, Step::DropPrimary(old));
    state.list(cluster, id, Step::AddPrimary(target));
    (state.usage[old.at()], state.usage[target.at()]) = (left, arrived);
    state.primary[id.at()] = target;
    Some(undo)
}

/// Another secondary node. The reference looks the old one up under the primary's number, so that its counters go wrong there;
/// it does not look at them again.
fn replace_secondary(cluster: &Cluster, state: &mut State, id: InstanceId, target: NodeId) -> Option<Undo> {
    let instance = cluster.instance(id);
    let (primary, old) = (state.primary[id.at()], state.secondary[id.at()]?);
    if target == primary {
        return None;
    }
    let arrived = state.with_secondary(cluster, target, instance, primary, Limits::Hard).ok()?;
    let peers = &state.peers[old.at()];
    let left = state.usage(old).without_secondary(cluster.node(old), instance, peers.get(primary), peers.max_without(primary));
    let shared = tag::common(&cluster.node(primary).location, &cluster.node(target).location);
    let undo = state.remember(id, [primary, old, target]);
    state.list(cluster, id, Step::DropSecondary { node: old, primary });
    state.list(cluster, id, Step::AddSecondary { node: target, primary });
    (state.usage[old.at()], state.usage[target.at()]) = (left, arrived);
    state.usage[primary.at()].location += shared - state.shared[id.at()];
    state.shared[id.at()] = shared;
    state.secondary[id.at()] = Some(target);
    Some(undo)
}

/// The two nodes of an instance change places; tags that restrict migration are not looked at.
fn migrate(cluster: &Cluster, state: &mut State, id: InstanceId) -> Result<Undo, FailMode> {
    let instance = cluster.instance(id);
    let (p, shared) = (state.primary[id.at()], state.shared[id.at()]);
    let s = state.secondary[id.at()].ok_or(FailMode::Internal)?;
    let (node_p, node_s) = (cluster.node(p), cluster.node(s));
    let effect = state.effect_of_removing(cluster, p, instance, shared);
    let without_p = state.usage(p).without_primary(node_p, instance, effect);
    let peers = &state.peers[s.at()];
    let without_s = state.usage(s).without_secondary(node_s, instance, peers.get(p), peers.max_without(p));
    let effect = state.effect_of_adding(cluster, s, instance, shared);
    let new_s = without_s.with_primary(node_s, instance, effect, Limits::Hard)?;
    let new_p = without_p.with_secondary(node_p, instance, state.peers[p.at()].get(s), Limits::Hard, false)?;
    let undo = state.remember(id, [p, s]);
    let steps = [
        Step::DropPrimary(p),
        Step::DropSecondary { node: s, primary: p },
        Step::AddPrimary(s),
        Step::AddSecondary { node: p, primary: s },
    ];
    steps.into_iter().for_each(|step| state.list(cluster, id, step));
    (state.usage[p.at()], state.usage[s.at()]) = (new_p, new_s);
    (state.primary[id.at()], state.secondary[id.at()]) = (s, Some(p));
    Ok(undo)
}
