//! Which placements of a new instance leave every node evacuable.
//!
//! A placement touches one or two nodes. What other nodes with nothing but drbd can do about their own loss changes only where
//! their instances go to a touched node, and there the largest sum decides; so most placements are judged by four comparisons.

use super::Scope;
use super::drbd::{self, Sum};
use super::played::Played;
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::state::{State, Usage};

/// A placement to be judged: each node with what would be taken of it.
pub(crate) type Placed<'a> = (NodeId, &'a Usage);

/// Judges placements of one instance, which is the last of its cluster and not in the state yet; or is there already, and then
/// counts twice.
#[derive(Debug)]
pub struct Watch<'a> {
    cluster: &'a Cluster,
    state: &'a State,
    scope: &'a Scope,
    id: InstanceId,
    /// All counted nodes that have nothing but drbd can be evacuated now.
    healthy: bool,
    /// Per node: it counts.
    counted: Vec<bool>,
    /// Per node: the most memory that comes here from one counted node with nothing but drbd; `None`: nothing comes.
    incoming: Vec<Option<i64>>,
    /// Counted nodes with other instances.
    mixed: Vec<NodeId>,
    played: Option<Played>,
}

impl<'a> Watch<'a> {
    /// Looks at the nodes as they are.
    #[must_use]
    pub fn new(cluster: &'a Cluster, state: &'a State, scope: &'a Scope, id: InstanceId) -> Self {
        let mut counted = vec![false; cluster.nodes.len()];
        let mut incoming: Vec<Option<i64>> = vec![None; cluster.nodes.len()];
        let mut mixed = Vec::new();
        let mut healthy = true;
        for node in scope.counted(cluster) {
            counted[node.at()] = true;
            if !drbd::is_only(cluster, state, scope, node) {
                mixed.push(node);
                continue;
            }
            healthy = healthy && drbd::can_evacuate(cluster, state, node);
            let Some(sums) = drbd::sums(cluster, state, state.primaries[node.at()].iter().copied()) else { continue };
            for sum in sums {
                let most = &mut incoming[sum.to.at()];
                *most = Some(most.map_or(sum.memory, |most| most.max(sum.memory)));
            }
        }
        Self { cluster, state, scope, id, healthy, counted, incoming, mixed, played: None }
    }

    /// Whether every counted node can be evacuated once the instance is there.
    pub(crate) fn allows(&mut self, primary: Placed<'_>, secondary: Option<Placed<'_>>) -> bool {
        if !self.healthy || ![Some(primary), secondary].into_iter().flatten().all(|placed| self.still_takes(placed)) {
            return false;
        }
        let instance = self.cluster.instance(self.id);
        let p = primary.0;
        let only_drbd = drbd::is_only(self.cluster, self.state, self.scope, p);
        let known = self.id.at() < self.state.primary.len();
        let fast = match secondary {
            _ if !self.counted[p.at()] || instance.forthcoming || !self.scope.minds(instance) => true,
            Some(secondary) if only_drbd && instance.has_secondary() && !known => {
                if !self.takes_all(p, secondary) {
                    return false;
                }
                true
            }
            _ => false,
        };
        let mut to_play: Vec<NodeId> = self.mixed.iter().copied().filter(|node| *node != p).collect();
        if !fast || (self.counted[p.at()] && !only_drbd) {
            to_play.push(p);
        }
        (to_play.is_empty() && self.scope.which.losses.is_empty()) || self.play(primary, secondary, &to_play)
    }

    /// Whether a touched node still takes what may come from any one node.
    fn still_takes(&self, (node, usage): Placed<'_>) -> bool {
        self.incoming[node.at()].is_none_or(|memory| usage.unallocated(self.cluster.node(node)) - memory > 0)
    }

    /// Whether the secondary node takes over all that has its primary on `p`, and the new instance.
    fn takes_all(&self, p: NodeId, (s, usage): Placed<'_>) -> bool {
        let there = self.state.primaries[p.at()].iter().copied().filter(|id| self.state.secondary[id.at()] == Some(s));
        let mut sums = drbd::sums(self.cluster, self.state, there).unwrap_or_default();
        drbd::add(&mut sums, s, self.cluster.instance(self.id));
        sums.first().is_some_and(|sum: &Sum| drbd::takes(self.cluster, p, *sum, usage))
    }

    fn play(&mut self, primary: Placed<'_>, secondary: Option<Placed<'_>>, nodes: &[NodeId]) -> bool {
        let cluster = self.cluster;
        let id = self.id;
        let played = self.played.get_or_insert_with(|| Played::new(self.state.clone(), self.scope.clone()));
        let known = id.at() < self.state.primary.len();
        let second = secondary.map(|(node, usage)| (node, *usage));
        let placed = played.state.place_for_now(cluster, id, (primary.0, *primary.1), second);
        let good = nodes.iter().all(|node| {
            if !known && drbd::is_only(cluster, &played.state, self.scope, *node) {
                drbd::can_evacuate(cluster, &played.state, *node)
            } else {
                played.can_evacuate(cluster, *node)
            }
        });
        let good = good && self.scope.losses().all(|loss| played.can_lose(cluster, &loss.nodes));
        played.state.unplace(placed);
        good
    }
}
