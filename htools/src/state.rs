//! Where instances are at the moment, and what that takes of each node.
//!
//! A [`State`] belongs to one [`Cluster`], whose columns its columns follow. Everything that judges a change without making it is
//! in [`crate::moves`] and [`Usage`]; what makes it is here, and gives back an [`Undo`] that restores the old state exactly.

mod build;
mod peer;
mod tally;
mod usage;

pub use build::N1Rule;
pub use peer::Peers;
pub use tally::Tally;
pub use usage::{Effect, Limits, Usage};
pub(crate) use usage::{over_vcpu_ratio, real};

use crate::cluster::Cluster;
use crate::fail::FailMode;
use crate::id::{InstanceId, NodeId};
use crate::instance::Instance;
use crate::tag;

/// Positions of instances and the usage of nodes, in columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// Per node: its numbers.
    pub usage: Vec<Usage>,
    /// Per node: primary instances without forthcoming ones, the newest first, as the reference lists them.
    pub primaries: Vec<Vec<InstanceId>>,
    /// Per node: secondary instances without forthcoming ones, the newest first.
    pub secondaries: Vec<Vec<InstanceId>>,
    /// Per node: memory that comes here when a peer dies.
    pub peers: Vec<Peers>,
    /// Per node: exclusion tags of its primaries.
    pub exclusion: Vec<Tally<u32>>,
    /// Per node: (location, exclusion tag) of its primaries.
    pub pairs: Vec<Tally<(u32, u32)>>,
    /// Per instance: its primary node.
    pub primary: Vec<NodeId>,
    /// Per instance: its secondary node.
    pub secondary: Vec<Option<NodeId>>,
    /// Per instance: failure causes that its two nodes share.
    pub shared: Vec<i64>,
}

/// One elementary change of a node, without its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    DropPrimary(NodeId),
    DropSecondary { node: NodeId, primary: NodeId },
    AddPrimary(NodeId),
    AddSecondary { node: NodeId, primary: NodeId },
}

/// What restores a state.
#[derive(Debug, Clone)]
pub struct Undo {
    instance: InstanceId,
    place: (NodeId, Option<NodeId>, i64),
    nodes: Vec<(NodeId, NodeCopy)>,
}

/// What takes a placement back: the nodes as they were.
#[derive(Debug)]
pub(crate) struct Placed {
    new: bool,
    copies: Vec<(NodeId, NodeCopy)>,
}

#[derive(Debug, Clone)]
struct NodeCopy {
    usage: Usage,
    primaries: Vec<InstanceId>,
    secondaries: Vec<InstanceId>,
    peers: Peers,
    exclusion: Tally<u32>,
    pairs: Tally<(u32, u32)>,
}

impl State {
    /// The numbers of a node.
    #[must_use]
    pub fn usage(&self, node: NodeId) -> &Usage {
        &self.usage[node.at()]
    }

    /// What a new primary means for the tags and locations of `node`. `shared`: see [`State::shared`].
    #[must_use]
    pub fn effect_of_adding(&self, cluster: &Cluster, node: NodeId, instance: &Instance, shared: i64) -> Effect {
        let tally = &self.exclusion[node.at()];
        Effect {
            conflicts: tally.excess_by_adding(&instance.exclusion),
            meets_tag: tally.meets(&instance.exclusion),
            location: shared + unmet(cluster, node, instance),
        }
    }

    /// What the loss of a primary means for the tags and locations of `node`.
    #[must_use]
    pub fn effect_of_removing(&self, cluster: &Cluster, node: NodeId, instance: &Instance, shared: i64) -> Effect {
        Effect {
            conflicts: self.exclusion[node.at()].excess_by_removing(&instance.exclusion),
            meets_tag: false,
            location: shared + unmet(cluster, node, instance),
        }
    }

    /// The usage of `node` with one more primary instance.
    ///
    /// # Errors
    /// The first limit that stands in the way.
    pub fn with_primary(
        &self,
        cluster: &Cluster,
        node: NodeId,
        instance: &Instance,
        shared: i64,
        limits: Limits,
    ) -> Result<Usage, FailMode> {
        let effect = self.effect_of_adding(cluster, node, instance, shared);
        self.usage(node).with_primary(cluster.node(node), instance, effect, limits)
    }

    /// The usage of `node` with one more secondary instance, whose primary is on `primary`.
    ///
    /// # Errors
    /// The first limit that stands in the way.
    pub fn with_secondary(
        &self,
        cluster: &Cluster,
        node: NodeId,
        instance: &Instance,
        primary: NodeId,
        limits: Limits,
    ) -> Result<Usage, FailMode> {
        self.usage(node).with_secondary(cluster.node(node), instance, self.peers[node.at()].get(primary), limits, false)
    }

    /// Puts a new instance, which is the last of the cluster's, onto its nodes, whose usage was judged before.
    ///
    /// # Panics
    /// When `instance` is not the next one: a mistake of the caller.
    pub fn place(&mut self, cluster: &Cluster, instance: InstanceId, primary: (NodeId, Usage), secondary: Option<(NodeId, Usage)>) {
        assert_eq!(instance.at(), self.primary.len(), "new instances come in order");
        let second = secondary.map(|(node, _)| node);
        self.primary.push(primary.0);
        self.secondary.push(second);
        self.shared.push(second.map_or(0, |node| tag::common(&cluster.node(primary.0).location, &cluster.node(node).location)));
        self.list_placed(cluster, instance, primary, secondary);
    }

    /// Changes lists, peer maps and tags of a node, but not its numbers.
    pub(crate) fn list(&mut self, cluster: &Cluster, id: InstanceId, step: Step) {
        let instance = cluster.instance(id);
        match step {
            Step::DropPrimary(node) => {
                self.exclusion[node.at()].remove(instance.exclusion.iter().copied());
                if !instance.forthcoming {
                    drop_first(&mut self.primaries[node.at()], id);
                    self.pairs[node.at()].remove(pairs(cluster, node, instance));
                }
            }
            Step::AddPrimary(node) => {
                self.exclusion[node.at()].add(instance.exclusion.iter().copied());
                if !instance.forthcoming {
                    self.primaries[node.at()].insert(0, id);
                    self.pairs[node.at()].add(pairs(cluster, node, instance));
                }
            }
            Step::DropSecondary { node, primary } if !instance.forthcoming => {
                drop_first(&mut self.secondaries[node.at()], id);
                let peers = &mut self.peers[node.at()];
                let left = peers.get(primary) - instance.reserves();
                if left > 0 { peers.set(primary, left) } else { peers.remove(primary) }
            }
            Step::AddSecondary { node, primary } if !instance.forthcoming => {
                self.secondaries[node.at()].insert(0, id);
                let peers = &mut self.peers[node.at()];
                peers.set(primary, peers.get(primary) + instance.reserves());
            }
            Step::DropSecondary { .. } | Step::AddSecondary { .. } => {}
        }
    }

    /// Memory of the primaries of `node` that other nodes reserve for them: those nodes, one entry per instance.
    pub(crate) fn reserved_elsewhere<'a>(&'a self, cluster: &'a Cluster, node: NodeId) -> impl Iterator<Item = (NodeId, i64)> + 'a {
        let primaries = self.primaries[node.at()].iter();
        primaries.filter_map(|id| self.secondary[id.at()].map(|second| (second, cluster.instance(*id).reserves())))
    }

    /// A copy of what a change of `instance` on `nodes` will touch.
    pub(crate) fn remember(&self, instance: InstanceId, nodes: impl IntoIterator<Item = NodeId>) -> Undo {
        let place = (self.primary[instance.at()], self.secondary[instance.at()], self.shared[instance.at()]);
        Undo { instance, place, nodes: nodes.into_iter().map(|node| (node, self.copy(node))).collect() }
    }

    fn copy(&self, node: NodeId) -> NodeCopy {
        NodeCopy {
            usage: self.usage[node.at()],
            primaries: self.primaries[node.at()].clone(),
            secondaries: self.secondaries[node.at()].clone(),
            peers: self.peers[node.at()].clone(),
            exclusion: self.exclusion[node.at()].clone(),
            pairs: self.pairs[node.at()].clone(),
        }
    }

    /// [`Self::place`] for a while: [`Self::unplace`] takes it back. An instance that is somewhere already is listed in both
    /// places meanwhile, and keeps its old one.
    pub(crate) fn place_for_now(
        &mut self,
        cluster: &Cluster,
        instance: InstanceId,
        primary: (NodeId, Usage),
        secondary: Option<(NodeId, Usage)>,
    ) -> Placed {
        let nodes = [Some(primary.0), secondary.map(|(node, _)| node)].into_iter().flatten();
        let copies = nodes.map(|node| (node, self.copy(node))).collect();
        let new = instance.at() == self.primary.len();
        if new {
            self.place(cluster, instance, primary, secondary);
        } else {
            self.list_placed(cluster, instance, primary, secondary);
        }
        Placed { new, copies }
    }

    fn list_placed(&mut self, cluster: &Cluster, id: InstanceId, primary: (NodeId, Usage), secondary: Option<(NodeId, Usage)>) {
        self.list(cluster, id, Step::AddPrimary(primary.0));
        self.usage[primary.0.at()] = primary.1;
        if let Some((node, usage)) = secondary {
            self.list(cluster, id, Step::AddSecondary { node, primary: primary.0 });
            self.usage[node.at()] = usage;
        }
    }

    /// Takes a placement back, which must be the newest change.
    pub(crate) fn unplace(&mut self, placed: Placed) {
        if placed.new {
            self.primary.pop();
            self.secondary.pop();
            self.shared.pop();
        }
        placed.copies.into_iter().for_each(|(node, copy)| self.restore(node, copy));
    }

    fn restore(&mut self, node: NodeId, copy: NodeCopy) {
        let at = node.at();
        self.usage[at] = copy.usage;
        self.primaries[at] = copy.primaries;
        self.secondaries[at] = copy.secondaries;
        self.peers[at] = copy.peers;
        self.exclusion[at] = copy.exclusion;
        self.pairs[at] = copy.pairs;
    }

    /// Takes back the newest change.
    pub fn undo(&mut self, undo: Undo) {
        let at = undo.instance.at();
        (self.primary[at], self.secondary[at], self.shared[at]) = undo.place;
        undo.nodes.into_iter().for_each(|(node, copy)| self.restore(node, copy));
    }

    /// The nodes of an instance: its primary, and with drbd its secondary.
    pub fn nodes_of(&self, cluster: &Cluster, id: InstanceId) -> impl Iterator<Item = NodeId> + use<> {
        let second = if cluster.instance(id).has_secondary() { self.secondary[id.at()] } else { None };
        [Some(self.primary[id.at()]), second].into_iter().flatten()
    }

    /// The group of an instance; `None` when its nodes are in different ones.
    #[must_use]
    pub fn group_of(&self, cluster: &Cluster, id: InstanceId) -> Option<crate::GroupId> {
        let primary = cluster.node(self.primary[id.at()]).group;
        let secondary = self.secondary[id.at()].map_or(primary, |node| cluster.node(node).group);
        (primary == secondary).then_some(primary)
    }
}

fn drop_first(list: &mut Vec<InstanceId>, id: InstanceId) {
    if let Some(at) = list.iter().position(|other| *other == id) {
        list.remove(at);
    }
}

/// Wishes of an instance that a primary node does not meet.
fn unmet(cluster: &Cluster, node: NodeId, instance: &Instance) -> i64 {
    if instance.wishes.is_empty() {
        return 0;
    }
    let wished = i64::try_from(instance.wishes.len()).unwrap_or(i64::MAX);
    wished - tag::common(&instance.wishes, &cluster.node(node).location)
}

/// Each location of a node with each exclusion tag of an instance.
pub(crate) fn pairs(cluster: &Cluster, node: NodeId, instance: &Instance) -> Vec<(u32, u32)> {
    let locations = &cluster.node(node).location;
    locations.iter().flat_map(|location| instance.exclusion.iter().map(move |tag| (*location, *tag))).collect()
}
