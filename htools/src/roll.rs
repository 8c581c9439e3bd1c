//! Rolling maintenance: sets of nodes that can be rebooted together, without any instance losing both of its nodes.
//!
//! Nodes that must not go down together are neighbours in a [`Graph`]; its colours are the first sets. Each of them is split so
//! that what cannot stay (instances without a second node, or everything) finds a place elsewhere.

mod clear;
mod color;
mod graph;

pub use color::{ALGORITHMS, Algorithm, Coloring};
pub use graph::Graph;

use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::state::State;
use clear::{Clearing, Kind};

/// What is done before a node is rebooted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evacuation {
    /// Nothing: instances without a second node go down.
    Nothing,
    /// Instances without a second node move to others.
    NonRedundant,
    /// The node becomes empty.
    Full,
    /// The node becomes empty but for instances without a second node, which go down.
    FullButNonRedundant,
}

/// Nodes that are rebooted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The nodes.
    pub nodes: Vec<NodeId>,
    /// Instances that move first, with their new nodes. Those whose nodes only change places are left out.
    pub moves: Vec<(InstanceId, NodeId, Option<NodeId>)>,
}

/// Why there is no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Error {
    /// No node can be freed of these.
    #[error("Not enough capacity to move non-redundant instances")]
    NonRedundant,
    /// A secondary node cannot take over.
    #[error("Failed to migrate instances off nodes")]
    Migrate,
    /// No node can be freed of these.
    #[error("Not enough capacity to move secondaries")]
    Secondaries,
}

/// Splits `sets` of nodes into steps. `state` is the same afterwards.
///
/// # Errors
/// There is not enough room for what must move.
pub fn plan(cluster: &Cluster, state: &mut State, sets: &[Vec<NodeId>], evacuation: Evacuation) -> Result<Vec<Step>, Error> {
    let mut plan = Plan { first: (state.primary.clone(), state.secondary.clone()), steps: Vec::new(), failed: None };
    let mut clearing = Clearing::new(cluster, state);
    for set in sets {
        let possible = match evacuation {
            Evacuation::Nothing => {
                plan.add(&clearing, set);
                true
            }
            Evacuation::NonRedundant => clearing.split(Kind::NonRedundant, set, |clearing, nodes| plan.add(clearing, nodes)),
            Evacuation::Full => clearing.split(Kind::NonRedundant, set, |clearing, nodes| plan.empty(clearing, nodes)),
            Evacuation::FullButNonRedundant => {
                plan.empty(&mut clearing, set);
                clearing.back();
                true
            }
        };
        if !possible {
            return Err(Error::NonRedundant);
        }
    }
    plan.failed.map_or(Ok(plan.steps), Err)
}

struct Plan {
    /// Primary and secondary nodes at the beginning.
    first: (Vec<NodeId>, Vec<Option<NodeId>>),
    steps: Vec<Step>,
    /// The error of the earliest stage: a later one of another set does not hide it.
    failed: Option<Error>,
}

impl Plan {
    fn add(&mut self, clearing: &Clearing<'_>, nodes: &[NodeId]) {
        let moves = clearing.moves(&self.first);
        self.steps.push(Step { nodes: nodes.to_vec(), moves });
    }

    /// After instances without a second node have left: the others too, then their copies.
    fn empty(&mut self, clearing: &mut Clearing<'_>, nodes: &[NodeId]) {
        let failed = if clearing.migrate_off(nodes).is_err() {
            Some(Error::Migrate)
        } else {
            let possible = clearing.split(Kind::Secondaries, nodes, |clearing, nodes| self.add(clearing, nodes));
            (!possible).then_some(Error::Secondaries)
        };
        self.failed = [self.failed, failed].into_iter().flatten().min();
    }
}

/// Brings steps into the order in which they are made: large ones first, that of the master last, and the master last in it.
/// `members` are the nodes that the maintenance is about.
#[must_use]
pub fn ordered(cluster: &Cluster, members: &[NodeId], steps: Vec<Step>) -> Vec<Step> {
    let mut inside = vec![false; cluster.nodes.len()];
    members.iter().for_each(|id| inside[id.at()] = true);
    let mut steps = steps;
    for step in &mut steps {
        step.nodes.retain(|id| inside[id.at()]);
    }
    steps.sort_by_key(|step| std::cmp::Reverse(step.nodes.len()));
    for step in &mut steps {
        step.nodes.sort_by_key(|id| cluster.node(*id).master);
    }
    steps.sort_by_key(|step| step.nodes.last().is_some_and(|id| cluster.node(*id).master));
    steps
}

/// Whether a node hosts no instance that has only one node.
#[must_use]
pub fn all_redundant(cluster: &Cluster, state: &State, node: NodeId) -> bool {
    state.primaries[node.at()].iter().all(|id| cluster.instance(*id).has_secondary())
}
