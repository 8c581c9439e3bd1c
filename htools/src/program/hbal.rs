//! hbal: moves that make a group more even.

mod check;

use super::option::Options;
use super::{Failure, Io, commands, execute, output, source};
use crate::balance::{self, Search};
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::job::{self, Planned, Widths};
use crate::score::{Board, Stats, optimum};
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
    let sets = job_sets(options, &cluster, &plan);
    show_commands(options, io, &cluster, &sets)?;
    output::save(options, io, "balanced", "after balancing", &cluster, &state)?;
    output::instances(options, io, "Final", &cluster, &state, &instances);
    output::nodes(options, io, "Final cluster", &cluster, &state, &nodes);
    if options.verbose > 3 {
        io.say(&format!("Original: {}\n", totals(&cluster, &before, &nodes)))?;
        io.say(&format!("Final:    {}\n", totals(&cluster, &state, &nodes)))?;
    }
    if options.exec && !plan.is_empty() {
        run_jobs(options, io, &cluster, &sets)?;
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
    let initial = Board::weighted(cluster, state, nodes.to_vec(), options.weights.clone()).score();
    let bound = optimum(cluster, state, nodes) * options.weights.reserved_part();
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
    let enough = bound + options.min_score;
    let mut plan: Vec<Planned> = Vec::new();
    let mut show = |step: Planned| {
        io.say_now(&format!("{}\n", step.line(cluster, widths, plan.len() + 1)))?;
        plan.push(step);
        Ok::<(), Failure>(())
    };
    if options.search {
        balance::improve(cluster, state, nodes, &search_options, enough, options.effort).into_iter().try_for_each(show)?;
    } else {
        let mut search = Search::new(cluster, state, nodes.to_vec(), &search_options);
        while let Some(step) = search.step(enough) {
            show(step)?;
        }
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
    let score = fixed(stats.score_with(&options.weights), 8);
    if options.verbose > 2 {
        let head = format!("{when} coefficients:");
        // The reference aligns the second one with the first.
        let head = if when == "Final" { format!("{head}  ") } else { head };
        return io.say(&format!("{head} overall {score}\n{}", components::components("  ", &stats, &options.weights)));
    }
    io.say(&format!("{when} score: {score}\n"))
}

/// The sets of jobs that are shown, and run.
fn job_sets<'a>(options: &Options, cluster: &Cluster, plan: &'a [Planned]) -> Vec<Vec<&'a Planned>> {
    let mut sets = job::sets(cluster, plan);
    if options.first_job_group {
        sets.truncate(1);
    }
    sets
}

fn show_commands(options: &Options, io: &mut Io<'_>, cluster: &Cluster, sets: &[Vec<&Planned>]) -> Result<(), Failure> {
    let title = if options.first_job_group { "First set of jobs:" } else { "Commands to run to reach the above solution:" };
    commands::show(options, io, title, &job::script(cluster, sets))
}

fn run_jobs(options: &Options, io: &mut Io<'_>, cluster: &Cluster, sets: &[Vec<&Planned>]) -> Result<(), Failure> {
    let mark = execute::Mark::new(options, "hbal", "rebalancing via hbal");
    let sets = sets.iter().map(|set| execute::moves(cluster, set, "Executing jobset for instances")).collect();
    execute::run(options, io, &mark, sets).map_err(|message| Failure::error(format!("hbal: {message}")))
}

fn totals(cluster: &Cluster, state: &State, nodes: &[NodeId]) -> String {
    let memory: i64 = nodes.iter().map(|id| state.usage(*id).unallocated(cluster.node(*id))).sum();
    let disk: i64 = nodes.iter().map(|id| state.usage(*id).free_disk).sum();
    format!("mem={memory} disk={disk}")
}
