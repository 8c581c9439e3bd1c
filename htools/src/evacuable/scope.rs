//! Which nodes count.

use gannet_core::param::DiskTemplate;

use super::Loss;
use crate::cluster::Cluster;
use crate::id::{GroupId, NodeId};
use crate::instance::Instance;

/// The nodes of a scope that have to be evacuable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// Only those that are online.
    pub online_only: bool,
    /// None of these groups.
    pub ignored: Vec<GroupId>,
    /// Not these nodes; sorted.
    pub excused: Vec<NodeId>,
    /// Only for what can start on another node as it is: instances that are bound to their node are lost with it anyway.
    pub mirrored_only: bool,
    /// Besides single nodes: these sets, lost together.
    pub losses: Vec<Loss>,
    /// Of these sets, by their positions and sorted, those that need not be.
    pub excused_losses: Vec<usize>,
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

    /// Sets of nodes that have to be, when they are lost together: of those whose nodes are all looked at.
    pub fn losses(&self) -> impl Iterator<Item = &Loss> {
        let here = |loss: &Loss| loss.nodes.iter().all(|node| self.nodes.binary_search(node).is_ok());
        let counted = self.which.losses.iter().enumerate().filter(|(at, _)| self.which.excused_losses.binary_search(at).is_err());
        counted.map(|(_, loss)| loss).filter(move |loss| here(loss))
    }

    /// Whether it matters what becomes of an instance when its node is lost.
    #[must_use]
    pub fn minds(&self, instance: &Instance) -> bool {
        !self.which.mirrored_only || instance.has_secondary() || goes_elsewhere(instance.template)
    }

    /// The nodes that have to be evacuable, in order.
    pub fn counted<'a>(&'a self, cluster: &'a Cluster) -> impl Iterator<Item = NodeId> + 'a {
        let counts = |id: &NodeId| {
            let node = cluster.node(*id);
            let excused = self.which.excused.binary_search(id).is_ok();
            !(excused || self.which.ignored.contains(&node.group) || self.which.online_only && node.offline)
        };
        self.nodes.iter().copied().filter(counts)
    }
}

/// Whether instances of this template go to another node as they are; others are made anew. (Block devices could go, but for the
/// reference they are bound to their node here.)
pub(super) fn goes_elsewhere(template: DiskTemplate) -> bool {
    use DiskTemplate::{BlockDev, Diskless, Drbd, Ext, File, Gluster, Plain, Rbd, SharedFile};
    match template {
        Diskless | SharedFile | Rbd | Ext | Gluster => true,
        File | Plain | BlockDev | Drbd => false,
    }
}
