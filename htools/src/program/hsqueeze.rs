//! hsqueeze: nodes that can be powered off, or must be powered on.

use gannet_core::opcode::{NodeSetParams, OobAction, OobCommand, OpCode, TagKind, TagsSet};

use super::execute::JobSet;
use super::option::Options;
use super::{Failure, Io, commands, execute, output, source};
use crate::cluster::Cluster;
use crate::id::NodeId;
use crate::job::{self, Planned};
use crate::squeeze::{self, Outcome};
use crate::state::State;
use crate::tag::prefix::STANDBY_AUTO;

/// What `-C` calls the commands.
const TITLE: &str = "Commands to run:";

pub(super) fn run(options: &Options, arguments: &[String], io: &mut Io<'_>) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::error("This program doesn't take any arguments."));
    }
    let source::Prepared { cluster, state } = source::load(options, io)?;
    output::save(options, io, "original", "before hsqueeze run", &cluster, &state)?;
    let off = squeeze::offline_candidates(&cluster, &state);
    let on = squeeze::online_candidates(&cluster);
    if options.verbose > 1 {
        io.say(&format!("Offline candidates: {}\n", names(&cluster, &off).join(",")))?;
        io.say(&format!("Online candidates: {}\n", names(&cluster, &on).join(",")))?;
    }
    let spare = |factor: f64| squeeze::spare(&cluster.policy.standard, factor);
    if !squeeze::has_room(&cluster, &state, &spare(options.minimal_resources)) {
        return expand(options, io, &cluster, &state, &on);
    }
    let chosen = squeeze::to_offline(&cluster, &state, &off, &spare(options.target_resources));
    if !chosen.is_empty() {
        return condense(options, io, &cluster, &state, &chosen);
    }
    header(options, io, "'No action'")?;
    commands::show(options, io, TITLE, "echo Nothing to do")?;
    output::save(options, io, "squeezed", "after hsqueeze doing nothing", &cluster, &state)
}

/// Powers nodes on.
fn expand(options: &Options, io: &mut Io<'_>, cluster: &Cluster, state: &State, candidates: &[NodeId]) -> Result<(), Failure> {
    let enough = squeeze::to_online(cluster, state, candidates, &squeeze::spare(&cluster.policy.standard, options.minimal_resources));
    let nodes = enough.as_deref().unwrap_or(candidates);
    header(options, io, "'Nodes to online'")?;
    list(io, cluster, nodes)?;
    if options.verbose > 1 && enough.is_none() {
        io.say("Onlining all nodes will not yield enough capacity\n")?;
    }
    let outcome = squeeze::marked(cluster, state, nodes, false);
    let sets = job::sets(cluster, &outcome.plan);
    let script = format!("echo Power Commands\n{}{}", each(cluster, nodes, "power -f on"), script(cluster, &sets));
    commands::show(options, io, TITLE, &script)?;
    let mut jobs = vec![power_jobs(cluster, nodes, true)];
    jobs.extend(move_jobs(cluster, &sets));
    execute(options, io, &format!("expanding by {} nodes", nodes.len()), jobs)?;
    save(options, io, "after hsqueeze expansion", &outcome)
}

/// Powers nodes off.
fn condense(options: &Options, io: &mut Io<'_>, cluster: &Cluster, state: &State, nodes: &[NodeId]) -> Result<(), Failure> {
    header(options, io, "'Nodes to offline'")?;
    list(io, cluster, nodes)?;
    let outcome = squeeze::marked(cluster, state, nodes, true);
    let sets = job::sets(cluster, &outcome.plan);
    let tags: String = nodes.iter().map(|id| format!("  gnt-node add-tags {} {STANDBY_AUTO}\n", cluster.node(*id).alias)).collect();
    let script =
        format!("{}\necho Tagging Commands\n{tags}\necho Power Commands\n{}", script(cluster, &sets), each(cluster, nodes, "power -f off"));
    commands::show(options, io, TITLE, &script)?;
    let mut jobs = move_jobs(cluster, &sets);
    jobs.extend(tag_jobs(cluster, nodes));
    jobs.push(power_jobs(cluster, nodes, false));
    execute(options, io, &format!("condensing by {} nodes", nodes.len()), jobs)?;
    save(options, io, "after hsqueeze run", &outcome)
}

/// The moves as commands; with full names of instances, as the reference writes them here.
fn script(cluster: &Cluster, sets: &[Vec<&Planned>]) -> String {
    let mut cluster = cluster.clone();
    cluster.instances.iter_mut().for_each(|instance| instance.alias.clone_from(&instance.name));
    job::script(&cluster, sets)
}

/// Runs sets of jobs, if it was asked for.
fn execute(options: &Options, io: &mut Io<'_>, comment: &str, sets: Vec<JobSet>) -> Result<(), Failure> {
    if !options.exec {
        return Ok(());
    }
    let mark = execute::Mark::new(options, "hsqueeze", comment);
    execute::run(options, io, &mark, sets).map_err(|message| Failure::error(format!("hsqueeze: {message}")))
}

fn move_jobs(cluster: &Cluster, sets: &[Vec<&Planned>]) -> Vec<JobSet> {
    sets.iter().map(|set| execute::moves(cluster, set, "Moving instances")).collect()
}

fn tag_jobs(cluster: &Cluster, nodes: &[NodeId]) -> Vec<JobSet> {
    let tag = |id: &NodeId| {
        let name = &cluster.node(*id).name;
        let set = TagsSet { name: Some(name.clone()), ..TagsSet::new(TagKind::Node, vec![STANDBY_AUTO.to_owned()]) };
        JobSet { jobs: vec![vec![set.into()]], description: format!("Tagging node {name} with standby") }
    };
    nodes.iter().map(tag).collect()
}

fn power_jobs(cluster: &Cluster, nodes: &[NodeId], on: bool) -> JobSet {
    let names: Vec<String> = nodes.iter().map(|id| cluster.node(*id).name.clone()).collect();
    let mark = |name: &String| OpCode::from(NodeSetParams { offline: Some(!on), ..NodeSetParams::new(name) });
    let mut job: Vec<OpCode> = names.iter().map(mark).collect();
    job.push(OobCommand { node_names: names, ..OobCommand::new(if on { OobAction::PowerOn } else { OobAction::PowerOff }) }.into());
    JobSet { jobs: vec![job], description: format!("Powering {} nodes", if on { "on" } else { "off" }) }
}

fn save(options: &Options, io: &mut Io<'_>, what: &str, outcome: &Outcome) -> Result<(), Failure> {
    output::save(options, io, "squeezed", what, &outcome.cluster, &outcome.state)
}

fn header(options: &Options, io: &mut Io<'_>, text: &str) -> Result<(), Failure> {
    if options.no_headers { Ok(()) } else { io.say(&format!("{text}\n")) }
}

fn list(io: &mut Io<'_>, cluster: &Cluster, nodes: &[NodeId]) -> Result<(), Failure> {
    names(cluster, nodes).into_iter().try_for_each(|name| io.say(&format!("{name}\n")))
}

fn names<'a>(cluster: &'a Cluster, nodes: &[NodeId]) -> Vec<&'a str> {
    nodes.iter().map(|id| cluster.node(*id).name.as_str()).collect()
}

/// A `gnt-node` command for each node.
fn each(cluster: &Cluster, nodes: &[NodeId], command: &str) -> String {
    nodes.iter().map(|id| format!("  gnt-node {command} {}\n", cluster.node(*id).alias)).collect()
}
