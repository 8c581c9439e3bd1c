//! Nodes whose primaries all have drbd: each goes to its secondary, so sums of memory decide.

use gannet_core::param::DiskTemplate;

use super::Scope;
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::instance::Instance;
use crate::state::{State, Usage};

/// Whether all primaries of a node that matter have drbd.
pub(super) fn is_only(cluster: &Cluster, state: &State, scope: &Scope, node: NodeId) -> bool {
    state.primaries[node.at()].iter().map(|id| cluster.instance(*id)).all(|instance| is_drbd(instance) || !scope.minds(instance))
}

fn is_drbd(instance: &Instance) -> bool {
    instance.template == DiskTemplate::Drbd
}

/// Whether all drbd primaries of a node can fail over.
pub(super) fn can_evacuate(cluster: &Cluster, state: &State, node: NodeId) -> bool {
    let all = state.primaries[node.at()].iter().copied().filter(|id| is_drbd(cluster.instance(*id)));
    let Some(sums) = sums(cluster, state, all) else { return false };
    let back = sums.is_empty() || cluster.node(node).offline || state.usage(node).free_disk > 0;
    back && sums.iter().all(|sum| takes(cluster, node, *sum, state.usage(sum.to)))
}

/// What goes to one node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    pub to: NodeId,
    /// In MiB.
    pub memory: i64,
    /// The spindles of all of them are known.
    pub spindles_known: bool,
}

/// What goes where when these instances fail over; `None` when one has nowhere to go.
pub(super) fn sums(cluster: &Cluster, state: &State, instances: impl Iterator<Item = InstanceId>) -> Option<Vec<Sum>> {
    let mut sums: Vec<Sum> = Vec::new();
    for id in instances {
        let to = state.secondary[id.at()]?;
        add(&mut sums, to, cluster.instance(id));
    }
    Some(sums)
}

/// Adds an instance that goes to `to`.
pub(super) fn add(sums: &mut Vec<Sum>, to: NodeId, instance: &Instance) {
    let at = sums.iter().position(|sum| sum.to == to).unwrap_or_else(|| {
        sums.push(Sum { to, memory: 0, spindles_known: true });
        sums.len() - 1
    });
    sums[at].memory += if instance.uses_memory() { instance.memory } else { 0 };
    sums[at].spindles_known &= instance.total_spindles().is_some();
}

/// Whether a node, which is used as `usage` says, takes what comes from `from`. Disks are there already, but there must be some
/// space left.
pub(super) fn takes(cluster: &Cluster, from: NodeId, sum: Sum, usage: &Usage) -> bool {
    let node = cluster.node(sum.to);
    let spindles = !node.exclusive_storage || (usage.free_spindles >= 0 && sum.spindles_known);
    let back = !cluster.node(from).exclusive_storage || sum.spindles_known;
    node.receives_from(cluster.node(from)) && usage.free_disk > 0 && spindles && back && usage.unallocated(node) - sum.memory > 0
}
