//! hroller: sets of nodes that can be rebooted together.

use super::option::Options;
use super::{Failure, Io, output, source};
use crate::cluster::Cluster;
use crate::id::{GroupId, NodeId};
use crate::load::text::Repeated;
use crate::roll::{self, ALGORITHMS, Coloring, Evacuation, Graph, Step};
use crate::state::State;

pub(super) fn run(options: &Options, arguments: &[String], io: &mut Io<'_>) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::error("This program doesn't take any arguments."));
    }
    let options = &Options { repeated: Repeated::Accept, ..options.clone() };
    let source::Prepared { mut cluster, mut state } = source::load(options, io)?;
    check_master(options, io, &cluster)?;
    let original = options.save.is_some().then(|| cluster.clone());
    source::set_node_status(&mut cluster, options)?;
    if let Some(original) = &original {
        output::save(options, io, "original", "before hroller run", original, &state)?;
    }
    let group = match &options.group {
        None => None,
        Some(name) => Some(cluster.find_group(name).map_err(|_| Failure::error("Cannot find target group."))?),
    };
    let members = members(options, &cluster, &state, group);
    let graph =
        Graph::new(&cluster, &state, &members, options.offline_maintenance).ok_or_else(|| Failure::error("Cannot create node graph"))?;
    if options.verbose > 2 {
        io.say(&format!("Node Graph: {}\n", graph.show(cluster.first_index)))?;
    }
    let colorings = ALGORITHMS.map(|(name, algorithm)| (name, algorithm(&graph)));
    // The first of the smallest ones.
    let Some((_, sets)) = colorings.iter().min_by_key(|(_, sets)| sets.len()) else { return Ok(()) };
    let steps = roll::plan(&cluster, &mut state, sets, evacuation(options)).map_err(|error| Failure::error(error.to_string()))?;
    if options.verbose > 1 {
        io.say(&format!("{}\n", statistics(&colorings)))?;
    }
    show(options, io, &cluster, &roll::ordered(&cluster, &members, steps))
}

fn check_master(options: &Options, io: &mut Io<'_>, cluster: &Cluster) -> Result<(), Failure> {
    let masters: Vec<String> = cluster.nodes.iter().filter(|node| node.master).map(|node| format!("{:?}", node.name)).collect();
    match masters.len() {
        1 => Ok(()),
        0 if options.force => {
            io.complain("Warning: No master node found (maybe not supported by backend).\n");
            Ok(())
        }
        0 => Err(Failure::error("No master node found (maybe not supported by backend).")),
        _ => Err(Failure::error(format!("Found more than one master node: [{}]", masters.join(",")))),
    }
}

/// The nodes that the maintenance is about.
fn members(options: &Options, cluster: &Cluster, state: &State, group: Option<GroupId>) -> Vec<NodeId> {
    let chosen = |id: &NodeId| {
        let node = cluster.node(*id);
        !node.offline
            && (!options.skip_non_redundant || roll::all_redundant(cluster, state, *id))
            && options.node_tags.as_ref().is_none_or(|tags| node.tags.iter().any(|tag| tags.contains(tag)))
            && group.is_none_or(|group| node.group == group)
    };
    cluster.node_ids().filter(chosen).collect()
}

/// What moves before nodes go down. Full evacuation with unmoved instances without a second node is a contradiction that the
/// reference accepts: it moves the others.
fn evacuation(options: &Options) -> Evacuation {
    match (options.full_evacuation, options.ignore_non_redundant) {
        (true, false) => Evacuation::Full,
        (true, true) => Evacuation::FullButNonRedundant,
        (false, false) => Evacuation::NonRedundant,
        (false, true) => Evacuation::Nothing,
    }
}

/// How the colourings did, from the best to the worst.
fn statistics(colorings: &[(&str, Coloring)]) -> String {
    let mut order: Vec<&(&str, Coloring)> = colorings.iter().collect();
    order.sort_by_key(|(_, sets)| std::cmp::Reverse(sets.len()));
    let mut text = String::new();
    let mut before = None;
    for (name, sets) in order.into_iter().rev() {
        text.push_str(match before {
            None => "",
            Some(count) if count == sets.len() => " TIE ",
            Some(_) => " LOOSE ",
        });
        before = Some(sets.len());
        let sizes: Vec<String> = sets.iter().map(|set| set.len().to_string()).collect();
        text.push_str(&format!("{name}: {} ({})", sets.len(), sizes.join(",")));
    }
    text
}

fn show(options: &Options, io: &mut Io<'_>, cluster: &Cluster, steps: &[Step]) -> Result<(), Failure> {
    let (title, separator, count) =
        if options.one_step_only { ("'First Reboot Group'\n", "\n", 1) } else { ("'Node Reboot Groups'\n", ",", steps.len()) };
    if !options.no_headers {
        io.say(title)?;
    }
    for step in steps.iter().take(count) {
        let names: Vec<&str> = step.nodes.iter().map(|id| cluster.node(*id).name.as_str()).collect();
        let end = if options.one_step_only && names.is_empty() { "" } else { "\n" };
        io.say(&format!("{}{end}", names.join(separator)))?;
        if options.print_moves {
            step.moves.iter().try_for_each(|(instance, primary, secondary)| {
                let second = secondary.map(|id| format!(" {}", cluster.node(id).name)).unwrap_or_default();
                io.say(&format!("  {} {}{second}\n", cluster.instance(*instance).name, cluster.node(*primary).name))
            })?;
        }
    }
    Ok(())
}
