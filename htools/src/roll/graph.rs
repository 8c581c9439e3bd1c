//! Which nodes must not go down together.

use std::collections::HashSet;

use crate::cluster::Cluster;
use crate::id::NodeId;
use crate::state::State;

/// Nodes and their neighbours. Vertices are all nodes from the first to the last that the maintenance is about; those between
/// them that it is not about have no neighbours.
///
/// A neighbour is listed once for each instance that both nodes share, as in the reference, which counts these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    first: usize,
    neighbors: Vec<Vec<usize>>,
}

impl Graph {
    /// The graph of `members`, in index order: nodes of the same instance are neighbours, and so are (unless all instances are
    /// down during the maintenance) primary nodes of instances that share their secondary node. `None`: there are no members.
    #[must_use]
    pub fn new(cluster: &Cluster, state: &State, members: &[NodeId], offline_maintenance: bool) -> Option<Self> {
        let (first, last) = (members.first()?.at(), members.last()?.at());
        let mut inside = vec![false; cluster.nodes.len()];
        members.iter().for_each(|id| inside[id.at()] = true);
        let mut neighbors = vec![Vec::new(); last - first + 1];
        let mut connect = |a: NodeId, b: NodeId| {
            if inside[a.at()] && inside[b.at()] {
                neighbors[a.at() - first].push(b.at() - first);
            }
        };
        let mut known = HashSet::new();
        for id in cluster.instance_ids().filter(|id| cluster.instance(*id).has_secondary()) {
            let Some(secondary) = state.secondary[id.at()] else { continue };
            for edge in [(state.primary[id.at()], secondary), (secondary, state.primary[id.at()])] {
                known.insert(edge);
                connect(edge.0, edge.1);
            }
        }
        if !offline_maintenance {
            for node in cluster.node_ids() {
                let primaries = primaries_of_secondaries(state, node);
                for edge in primaries.iter().flat_map(|a| primaries.iter().map(move |b| (*a, *b))) {
                    if known.insert(edge) {
                        connect(edge.0, edge.1);
                    }
                }
            }
        }
        // The newest edge comes first, as in the reference, which can show the graph.
        neighbors.iter_mut().for_each(|list| list.reverse());
        Some(Self { first, neighbors })
    }

    /// Number of vertices.
    #[must_use]
    pub fn len(&self) -> usize {
        self.neighbors.len()
    }

    /// Whether there is no vertex; never so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.neighbors.is_empty()
    }

    /// Neighbours of a vertex.
    #[must_use]
    pub fn neighbors(&self, vertex: usize) -> &[usize] {
        &self.neighbors[vertex]
    }

    /// The node of a vertex.
    #[must_use]
    pub fn node(&self, vertex: usize) -> NodeId {
        NodeId::new(self.first + vertex)
    }

    /// In the reference's notation; `first_index` is the number of the first node of the cluster.
    #[must_use]
    pub fn show(&self, first_index: usize) -> String {
        let shift = self.first + first_index;
        let numbers = |list: &Vec<usize>| list.iter().map(|at| (at + shift).to_string()).collect::<Vec<_>>().join(",");
        let vertices: Vec<String> =
            self.neighbors.iter().enumerate().map(|(at, list)| format!("({},[{}])", at + shift, numbers(list))).collect();
        format!("array ({shift},{}) [{}]", shift + self.len() - 1, vertices.join(","))
    }
}

/// Primary nodes of the instances whose secondary is `node`, each once.
fn primaries_of_secondaries(state: &State, node: NodeId) -> Vec<NodeId> {
    let mut seen = HashSet::new();
    state.secondaries[node.at()].iter().map(|id| state.primary[id.at()]).filter(|primary| seen.insert(*primary)).collect()
}
