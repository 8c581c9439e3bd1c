//! Nodes that can be tried.

use super::{Options, Refusal};
use crate::cluster::Cluster;
use crate::id::NodeId;

/// What can be tried, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// One node each.
    Single(Vec<NodeId>),
    /// Two nodes each.
    Pairs(Pairs),
}

/// Primary nodes with their possible secondary nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pairs {
    /// Primary nodes, in order, with the index of their list.
    pub primaries: Vec<(NodeId, usize)>,
    /// Lists of secondary nodes, in order. A primary node may be on its own list, and does not count there.
    pub seconds: Vec<Vec<NodeId>>,
}

impl Pairs {
    /// There is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.primaries.is_empty()
    }
}

/// What can be tried with `nodes`, in index order: online ones, within a group. `count`: nodes that the instance needs.
///
/// # Errors
/// It needs neither one nor two nodes.
pub fn targets(cluster: &Cluster, nodes: &[NodeId], count: i64, options: &Options, allocable_only: bool) -> Result<Targets, Refusal> {
    let usable = |id: &NodeId| {
        let node = cluster.node(*id);
        let allocable = !allocable_only || cluster.group(node.group).is_allocable();
        !node.offline && allocable && options.restrict_to.as_ref().is_none_or(|names| names.contains(&node.name))
    };
    let usable: Vec<NodeId> = nodes.iter().copied().filter(usable).collect();
    match count {
        1 => Ok(Targets::Single(usable)),
        2 => {
            let mut seconds = vec![Vec::new(); cluster.groups.len()];
            usable.iter().for_each(|id| seconds[cluster.node(*id).group.at()].push(*id));
            let list = |id: &NodeId| cluster.node(*id).group.at();
            let primaries = usable.iter().filter(|id| seconds[list(id)].len() > 1).map(|id| (*id, list(id))).collect();
            Ok(Targets::Pairs(Pairs { primaries, seconds }))
        }
        _ => Err(Refusal::new("Unsupported number of nodes, only one or two  supported")),
    }
}
