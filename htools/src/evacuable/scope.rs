//! Which nodes count.

use crate::cluster::Cluster;
use crate::id::{GroupId, NodeId};

/// The nodes of a scope that have to be evacuable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// Only those that are online.
    pub online_only: bool,
    /// None of these groups.
    pub ignored: Vec<GroupId>,
}

/// Nodes that are looked at together: scores are theirs, and instances go to other nodes of the same group among them.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// In index order.
    pub nodes: Vec<NodeId>,
    /// Those that have to be evacuable.
    pub which: Which,
}

impl Scope {
    /// All nodes of a cluster.
    #[must_use]
    pub fn all(cluster: &Cluster) -> Self {
        Self { nodes: cluster.node_ids().collect(), which: Which::default() }
    }

    /// The nodes of one group.
    #[must_use]
    pub fn group(cluster: &Cluster, group: GroupId) -> Self {
        Self { nodes: cluster.nodes_of(group).collect(), which: Which::default() }
    }

    /// The nodes that have to be evacuable, in order.
    pub fn counted<'a>(&'a self, cluster: &'a Cluster) -> impl Iterator<Item = NodeId> + 'a {
        let counts = |id: &NodeId| {
            let node = cluster.node(*id);
            !(self.which.ignored.contains(&node.group) || self.which.online_only && node.offline)
        };
        self.nodes.iter().copied().filter(counts)
    }
}
