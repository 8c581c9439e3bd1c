//! hinfo: a cluster with its score.

use super::option::Options;
use super::{Failure, Io, output, source};
use crate::cluster::Cluster;
use crate::id::GroupId;
use crate::score::{Stats, score};
use crate::show::number::fixed;
use crate::show::table::{header, table};
use crate::show::{policy, score as components};
use crate::state::State;

pub(super) fn run(options: &Options, arguments: &[String], io: &mut Io<'_>) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::error("This program doesn't take any arguments."));
    }
    let source::Prepared { mut cluster, state } = source::load(options, io)?;
    io.say(&format!("Loaded cluster tags: {}\n", cluster.tags.join(",")))?;
    if options.verbose > 2 {
        io.say(&format!("Loaded cluster ipolicy: {}\n", policy::policy(&cluster.policy)))?;
    }
    source::set_node_status(&mut cluster, options)?;
    sizes(options, io, &cluster)?;
    split_instances(options, io, &cluster, &state)?;
    groups(options, io, &cluster, &state)?;
    let nodes = source::all_nodes(&cluster);
    let instances: Vec<_> = cluster.instance_ids().collect();
    output::instances(options, io, "Instances", &cluster, &state, &instances);
    output::nodes(options, io, "Cluster", &cluster, &state, &nodes);
    let stats = Stats::new(&cluster, &state, &nodes);
    io.say(&format!("Cluster coefficients:\n{}", components::components("  ", &stats, &crate::score::Weights::default())))?;
    io.say(&format!("Cluster score: {}\n", fixed(stats.score(), 8)))
}

fn sizes(options: &Options, io: &mut Io<'_>, cluster: &Cluster) -> Result<(), Failure> {
    let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    if cluster.instances.is_empty() && options.verbose > 1 {
        io.say("Cluster is empty.\n")?;
    }
    io.say(&format!(
        "Loaded {}, {}, {}\n",
        plural(cluster.nodes.len(), "node"),
        plural(cluster.instances.len(), "instance"),
        plural(cluster.groups.len(), "node group")
    ))?;
    let suffix = cluster.common_suffix();
    if !suffix.is_empty() && options.verbose > 2 {
        io.say(&format!("Note: Stripping common suffix of '{suffix}' from names\n"))?;
    }
    Ok(())
}

fn split_instances(options: &Options, io: &mut Io<'_>, cluster: &Cluster, state: &State) -> Result<(), Failure> {
    let split: Vec<&str> =
        cluster.instance_ids().filter(|id| state.group_of(cluster, *id).is_none()).map(|id| cluster.instance(id).name.as_str()).collect();
    if !split.is_empty() {
        io.say("Found instances belonging to multiple node groups:\n")?;
        split.iter().for_each(|name| io.complain(&format!("  {name}\n")));
    } else if options.verbose > 1 {
        io.say("No split instances found\n")?;
    }
    Ok(())
}

fn groups(options: &Options, io: &mut Io<'_>, cluster: &Cluster, state: &State) -> Result<(), Failure> {
    let mut happy = true;
    let mut row = |id: GroupId| {
        let nodes: Vec<_> = cluster.nodes_of(id).collect();
        let (bad_nodes, bad_instances) = output::bad_items(cluster, state, &nodes);
        happy &= bad_nodes.is_empty();
        vec![
            cluster.group(id).name.clone(),
            nodes.len().to_string(),
            output::instances_on(cluster, state, &nodes).len().to_string(),
            bad_nodes.len().to_string(),
            bad_instances.len().to_string(),
            if bad_nodes.is_empty() { "True" } else { "False" }.to_owned(),
            fixed(score(cluster, state, &nodes), 8),
        ]
    };
    let rows: Vec<Vec<String>> = cluster.groups_with_nodes().into_iter().map(&mut row).collect();
    if options.verbose > 1 {
        let titles = header(&["Group", "Nodes", "Instances", "Bad_Nodes", "Bad_Instances", "N+1", "Score"]);
        let right = [false, true, true, true, true, false, true];
        io.say(&format!("Node group information:\n{}", table("  ", &titles, &rows, &right)))?;
    }
    io.say(&format!("Cluster is N+1 {}\n", if happy { "happy" } else { "unhappy" }))
}
