//! What hbal says about a cluster and a group before it begins.

use super::super::option::Options;
use super::super::{Failure, Io, output};
use crate::cluster::Cluster;
use crate::id::NodeId;
use crate::state::State;

/// Shows the size of the cluster; `false` when there is nothing in it.
pub(super) fn cluster(options: &Options, io: &mut Io<'_>, cluster: &Cluster, state: &State) -> Result<bool, Failure> {
    if cluster.instances.is_empty() {
        io.say("Cluster is empty, exiting.\n")?;
        return Ok(false);
    }
    let split: Vec<&str> =
        cluster.instance_ids().filter(|id| state.group_of(cluster, *id).is_none()).map(|id| cluster.instance(id).name.as_str()).collect();
    if !split.is_empty() && options.verbose > 1 {
        io.complain("Found instances belonging to multiple node groups:\n");
        split.iter().for_each(|name| io.complain(&format!("  {name}\n")));
        io.complain("These instances will not be moved.\n");
    }
    io.say(&format!("Loaded {} nodes, {} instances\n", cluster.nodes.len(), cluster.instances.len()))?;
    let suffix = cluster.common_suffix();
    if !suffix.is_empty() && options.verbose > 1 {
        io.say(&format!("Note: Stripping common suffix of '{suffix}' from names\n"))?;
    }
    Ok(true)
}

/// The group to work on: its name and nodes.
pub(super) fn select_group(options: &Options, io: &mut Io<'_>, cluster: &Cluster) -> Result<(String, Vec<NodeId>), Failure> {
    let populated = cluster.groups_with_nodes();
    let id = match &options.group {
        None if populated.len() > 1 => {
            io.complain("Found multiple node groups:\n");
            populated.iter().for_each(|id| io.complain(&format!("  {}\n", cluster.group(*id).name)));
            return Err(Failure::error("Aborting."));
        }
        None => *populated.first().ok_or_else(|| Failure::error("No groups found by splitCluster?!"))?,
        Some(name) => cluster.find_group(name).map_err(|_| {
            io.complain(&format!("Node group {name} not found. Node group list is:\n"));
            cluster.groups.iter().for_each(|group| io.complain(&format!("  {}\n", group.name)));
            Failure::error("Aborting.")
        })?,
    };
    Ok((cluster.group(id).name.clone(), cluster.nodes_of(id).collect()))
}

/// Shows what is wrong with the group: its name, its nodes, and the number of its instances.
pub(super) fn group(
    options: &Options,
    io: &mut Io<'_>,
    cluster: &Cluster,
    state: &State,
    (name, nodes, instances): (&str, &[NodeId], usize),
) -> Result<(), Failure> {
    io.say(&format!("Group size {} nodes, {instances} instances\nSelected node group: {name}\n", nodes.len()))?;
    let (bad_nodes, bad_instances) = output::bad_items(cluster, state, nodes);
    if options.verbose >= 1 {
        io.say(&format!("Initial check done: {} bad nodes, {} bad instances.\n", bad_nodes.len(), bad_instances.len()))?;
    }
    let others: Vec<NodeId> = nodes.iter().copied().filter(|id| !bad_nodes.contains(id)).collect();
    let health = |id: &NodeId| state.usage(*id).policy_health(cluster.node(*id));
    let violating = others.iter().filter(|id| health(id).is_err()).count();
    if options.verbose > 4 {
        let names = |ids: &[NodeId]| ids.iter().map(|id| format!("{:?}", cluster.node(*id).name)).collect::<Vec<_>>().join(",");
        let answer = |id: &NodeId| health(id).map_or_else(|mode| format!("Bad {mode}"), |()| "Ok ()".to_owned());
        let status: Vec<String> = others.iter().map(|id| format!("({:?},{})", cluster.node(*id).name, answer(id))).collect();
        io.say(&format!("Bad nodes: [{}]\nN+1 happy nodes: [{}]\n", names(&bad_nodes), names(&others)))?;
        io.say(&format!("Node policy status: [{}]\n", status.join(",")))?;
    }
    if !bad_nodes.is_empty() {
        io.say("Cluster is not N+1 happy, continuing but no guarantee that the cluster will end N+1 happy.\n")?;
    }
    if violating > 0 {
        io.say(&format!("The cluster contains {violating} policy-violating nodes.\n"))?;
        io.say(if options.ignore_soft_errors {
            "Continuing, ignoring soft errors.\n"
        } else {
            "Continuing, but the set of moves might be too restricted; consider using the --ignore-soft-errors option.\n"
        })?;
    }
    Ok(())
}
