//! What several tools print alike.

use super::option::Options;
use super::{Failure, Io};
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::show;
use crate::state::State;

/// The node list, if it was asked for; to the standard error, as the reference does.
pub(super) fn nodes(options: &Options, io: &mut Io<'_>, title: &str, cluster: &Cluster, state: &State, ids: &[NodeId]) {
    if let Some(fields) = &options.print_nodes {
        io.complain(&format!("\n{title} status:\n{}\n", show::nodes::list(cluster, state, ids, fields)));
    }
}

/// The instance map, if it was asked for; to the standard error.
pub(super) fn instances(options: &Options, io: &mut Io<'_>, title: &str, cluster: &Cluster, state: &State, ids: &[InstanceId]) {
    if options.print_instances {
        io.complain(&format!("\n{title} instance map:\n{}", show::instances::map(cluster, state, ids)));
    }
}

/// Saves the cluster, if it was asked for.
pub(super) fn save(options: &Options, io: &mut Io<'_>, suffix: &str, what: &str, cluster: &Cluster, state: &State) -> Result<(), Failure> {
    if let Some(prefix) = &options.save {
        let path = format!("{prefix}.{suffix}");
        io.write(&path, &crate::save::text(cluster, state))?;
        io.complain(&format!("The cluster state {what} has been written to file '{path}'\n"));
    }
    Ok(())
}

/// Instances whose primary is among `nodes`, in order.
pub(super) fn instances_on(cluster: &Cluster, state: &State, nodes: &[NodeId]) -> Vec<InstanceId> {
    let mut inside = vec![false; cluster.nodes.len()];
    nodes.iter().for_each(|node| inside[node.at()] = true);
    cluster.instance_ids().filter(|id| inside[state.primary[id.at()].at()]).collect()
}

/// Online nodes that fail N+1, and the instances on them.
pub(super) fn bad_items(cluster: &Cluster, state: &State, nodes: &[NodeId]) -> (Vec<NodeId>, Vec<InstanceId>) {
    let bad: Vec<NodeId> = nodes.iter().copied().filter(|id| !cluster.node(*id).offline && state.usage(*id).fails_n1).collect();
    let mut instances: Vec<InstanceId> =
        bad.iter().flat_map(|id| state.secondaries[id.at()].iter().chain(&state.primaries[id.at()])).copied().collect();
    instances.sort_unstable();
    instances.dedup();
    (bad, instances)
}
