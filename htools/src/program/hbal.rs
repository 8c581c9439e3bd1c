//! hbal: moves that make a group more even.

mod check;

use super::option::Options;
use super::{Failure, Io, commands, output, source};
use crate::balance::Search;
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::job::{self, Planned, Widths};
use crate::score::{Stats, optimum, score};
use crate::show::number::{fixed, general};
use crate::show::{policy, score as components};
use crate::state::State;

pub(super) fn run(options: &Options, arguments: &[String], io: &mut Io<'_>) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::error("This program doesn't take any arguments."));
    }
    let source::Prepared { mut cluster, mut state } = source::load(options, io)?;
    if options.verbose > 1 {
        io.say(&format!("Loaded cluster tags: {}\n", cluster.tags.join(",")))?;
        io.say(&format!("Loaded cluster ipolicy: {}\n", policy::policy(&cluster.policy)))?;
    }
    let original = cluster.clone();
    source::set_node_status(&mut cluster, options)?;
    if !check::cluster(options, io, &cluster, &state)? {
        return Ok(());
    }
    output::save(options, io, "original", "before balancing", &original, &state)?;
    let (group, nodes) = check::select_group(options, io, &cluster)?;
    let instances = output::instances_on(&cluster, &state, &nodes);
    check::group(options, io, &cluster, &state, (&group, &nodes, instances.len()))?;
    output::instances(options, io, "Initial", &cluster, &state, &instances);
    output::nodes(options, io, "Initial cluster", &cluster, &state, &nodes);
    let before = state.clone();
    let Some(plan) = balance(options, io, &cluster, &mut state, &nodes, &instances)? else { return Ok(()) };
    show_commands(options, io, &cluster, &plan)?;
    output::save(options, io, "balanced", "after balancing", &cluster, &state)?;
    output::instances(options, io, "Final", &cluster, &state, &instances);
    output::nodes(options, io, "Final cluster", &cluster, &state, &nodes);
    if options.verbose > 3 {
        io.say(&format!("Original: {}\n", totals(&cluster, &before, &nodes)))?;
        io.say(&format!("Final:    {}\n", totals(&cluster, &state, &nodes)))?;
    }
    if options.exec && !plan.is_empty() {
        return Err(Failure::error("hbal: Execution of commands possible only on LUXI"));
    }
    Ok(())
}

/// Searches and shows the plan; `None` when the group is even enough already.
fn balance(
    options: &Options,
    io: &mut Io<'_>,
    cluster: &Cluster,
    state: &mut State,
    nodes: &[NodeId],
    instances: &[InstanceId],
) -> Result<Option<Vec<Planned>>, Failure> {
    let (initial, bound) = (score(cluster, state, nodes), optimum(cluster, state, nodes));
    coefficients(options, io, "Initial", cluster, state, nodes)?;
    if initial - bound < options.min_score {
        io.say(&format!(
            "Cluster is already well balanced (initial score {},\noptimum score due to N+1 reservations {},\nminimum score {}).\n\
             Nothing to do, exiting\n",
            general(initial, 6),
            general(bound, 6),
            general(options.min_score, 6)
        ))?;
        return Ok(None);
    }
    io.say("Trying to minimize the CV...\n")?;
    let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let widths = Widths {
        node: longest(&mut nodes.iter().map(|id| cluster.node(*id).alias.chars().count())),
        instance: longest(&mut instances.iter().map(|id| cluster.instance(*id).alias.chars().count())),
    };
    let search_options = source::balance_options(options);
    let mut search = Search::new(cluster, state, nodes.to_vec(), &search_options);
    let mut plan: Vec<Planned> = Vec::new();
    while let Some(step) = search.step(bound + options.min_score) {
        io.say_now(&format!("{}\n", step.line(cluster, widths, plan.len() + 1)))?;
        plan.push(step);
    }
    if plan.is_empty() {
        io.say("No solution found\n")?;
    } else if options.verbose > 2 {
        coefficients(options, io, "Final", cluster, state, nodes)?;
    } else {
        let last = plan.last().map_or(initial, |step| step.score);
        io.say(&format!("Cluster score improved from {} to {}\n", fixed(initial, 8), fixed(last, 8)))?;
    }
    if options.verbose >= 1 {
        io.say(&format!("Solution length={}\n", plan.len()))?;
    }
    Ok(Some(plan))
}

fn coefficients(options: &Options, io: &mut Io<'_>, when: &str, cluster: &Cluster, state: &State, nodes: &[NodeId]) -> Result<(), Failure> {
    let stats = Stats::new(cluster, state, nodes);
    let score = fixed(stats.score(), 8);
    if options.verbose > 2 {
        let head = format!("{when} coefficients:");
        // The reference aligns the second one with the first.
        let head = if when == "Final" { format!("{head}  ") } else { head };
        return io.say(&format!("{head} overall {score}\n{}", components::components("  ", &stats)));
    }
    io.say(&format!("{when} score: {score}\n"))
}

fn show_commands(options: &Options, io: &mut Io<'_>, cluster: &Cluster, plan: &[Planned]) -> Result<(), Failure> {
    let mut sets = job::sets(cluster, plan);
    let title = if options.first_job_group {
        sets.truncate(1);
        "First set of jobs:"
    } else {
        "Commands to run to reach the above solution:"
    };
    commands::show(options, io, title, &job::script(cluster, &sets))
}

fn totals(cluster: &Cluster, state: &State, nodes: &[NodeId]) -> String {
    let memory: i64 = nodes.iter().map(|id| state.usage(*id).unallocated(cluster.node(*id))).sum();
    let disk: i64 = nodes.iter().map(|id| state.usage(*id).free_disk).sum();
    format!("mem={memory} disk={disk}")
}
