//! hcheck: the health of a cluster, and whether balancing would help.

use super::option::Options;
use super::{Failure, Io, keys, output, source};
use crate::balance;
use crate::cluster::Cluster;
use crate::evacuable::{self, Loss, Scope};
use crate::id::{GroupId, NodeId};
use crate::score::{optimum, score};
use crate::show::number::fixed;
use crate::state::State;

/// What is counted: the name for programs, and for people.
const COUNTS: [(&str, &str); 5] = [
    ("N1_FAIL", "Nodes not N+1 happy"),
    ("CONFLICT_TAGS", "Nodes with conflicting instances"),
    ("OFFLINE_PRI", "Instances having the primary node offline"),
    ("OFFLINE_SEC", "Instances having a secondary node offline"),
    ("GN1_FAIL", "Nodes not directly evacuateable"),
];

/// So many sets are told unless `-v` asks for all.
const SHOWN_LOSSES: usize = 10;

/// Before or after balancing: the name for programs, and for people.
type Phase = (&'static str, &'static str);

const BEFORE: Phase = ("INIT", "initially");
const AFTER: Phase = ("FINAL", "after rebalancing");

/// What is wrong in a group.
struct Health {
    group: GroupId,
    counts: Vec<usize>,
    score: f64,
}

pub(super) fn run(options: &Options, arguments: &[String], io: &mut Io<'_>) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::error("This program doesn't take any arguments."));
    }
    let source::Prepared { mut cluster, mut state } = source::load(options, io)?;
    source::set_node_status(&mut cluster, options)?;
    if options.machine_readable {
        for (at, group) in cluster.groups.iter().enumerate() {
            keys::print(io, "HCHECK", &format!("GROUP_UUID_{}", at + cluster.first_index), &group.uuid)?;
        }
    }
    let groups: Vec<(GroupId, Vec<NodeId>)> =
        cluster.groups_with_nodes().into_iter().map(|group| (group, cluster.nodes_of(group).collect())).collect();
    let losses = source::losses(options, &cluster)?;
    let before = check_all(options, &cluster, &state, &groups);
    let bad = sums(&before, options).iter().sum::<usize>() > 0;
    if options.verbose >= 1 && !options.machine_readable {
        io.say(match (options.no_simulation, bad) {
            (true, _) => "Running in no-simulation mode.\n",
            (false, true) => "Cluster needs rebalancing.\n",
            (false, false) => "No need to rebalance cluster, no problems found.\n",
        })?;
    }
    show(options, io, &cluster, BEFORE, &before, bad)?;
    let simulate = bad && !options.no_simulation;
    if simulate {
        for (_, nodes) in &groups {
            balance_group(options, &cluster, &mut state, nodes);
        }
    }
    if simulate || options.machine_readable {
        let after = check_all(options, &cluster, &state, &groups);
        // Ganeti: whether the cluster needs balancing is not judged again (a known defect, which scripts may compare).
        show(options, io, &cluster, AFTER, &after, bad)?;
    }
    let lost = if losses.is_empty() { false } else { show_losses(options, io, &cluster, &state, losses)? };
    if options.machine_readable {
        keys::print(io, "HCHECK", "OK", "1")?;
    }
    if simulate || lost { Err(Failure::quiet()) } else { Ok(()) }
}

fn check_all(options: &Options, cluster: &Cluster, state: &State, groups: &[(GroupId, Vec<NodeId>)]) -> Vec<Health> {
    groups.iter().map(|(group, nodes)| check(options, cluster, state, *group, nodes)).collect()
}

fn check(options: &Options, cluster: &Cluster, state: &State, group: GroupId, nodes: &[NodeId]) -> Health {
    let offline = || nodes.iter().filter(|id| cluster.node(**id).offline);
    let mut counts = vec![
        output::bad_items(cluster, state, nodes).0.len(),
        nodes.iter().filter(|id| state.usage(**id).tag_conflicts > 0).count(),
        offline().map(|id| state.primaries[id.at()].len()).sum(),
        // Ganeti: not the instances, but the nodes (a known defect, which scripts may compare).
        offline().count(),
    ];
    if options.capacity {
        counts.push(evacuable::failures(cluster, state, &Scope::group(cluster, group)));
    }
    Health { group, counts, score: score(cluster, state, nodes) }
}

fn sums(groups: &[Health], options: &Options) -> Vec<usize> {
    let count = if groups.is_empty() { 0 } else { COUNTS.len() - usize::from(!options.capacity) };
    (0..count).map(|at| groups.iter().map(|health| health.counts[at]).sum()).collect()
}

fn balance_group(options: &Options, cluster: &Cluster, state: &mut State, nodes: &[NodeId]) {
    let enough = options.min_score + optimum(cluster, state, nodes);
    if score(cluster, state, nodes) >= enough {
        balance::run(cluster, state, nodes.to_vec(), &source::balance_options(options), enough);
    }
}

fn show(options: &Options, io: &mut Io<'_>, cluster: &Cluster, phase: Phase, groups: &[Health], bad: bool) -> Result<(), Failure> {
    for health in groups {
        let values: Vec<String> = health.counts.iter().map(ToString::to_string).collect();
        let group = &cluster.group(health.group).name;
        let place = (format!("GROUP_{}", health.group.at() + cluster.first_index), format!("Statistics for group {group} {}", phase.1));
        values_of(options, io, phase, &place, &values, ("SCORE", "Group score", &fixed(health.score, 8)))?;
    }
    let values: Vec<String> = sums(groups, options).iter().map(ToString::to_string).collect();
    let truth = match (options.machine_readable, bad) {
        (true, _) => {
            if bad {
                "1"
            } else {
                "0"
            }
        }
        (false, true) => "True",
        (false, false) => "False",
    };
    let place = ("CLUSTER".to_owned(), format!("Cluster statistics {}", phase.1));
    values_of(options, io, phase, &place, &values, ("NEED_REBALANCE", "Cluster is not healthy", truth))
}

/// What would become of the instances if several nodes were lost at once, as the cluster is (after balancing, where that was
/// simulated); gives back whether some would find no place.
fn show_losses(options: &Options, io: &mut Io<'_>, cluster: &Cluster, state: &State, losses: Vec<Loss>) -> Result<bool, Failure> {
    let mut scope = Scope::all(cluster);
    scope.which.losses = losses;
    let failing: Vec<&Loss> = evacuable::failing_losses(cluster, state, &scope).collect();
    let all = scope.which.losses.len();
    if options.machine_readable {
        keys::print(io, "HCHECK", "LOSSES", &all.to_string())?;
        keys::print(io, "HCHECK", "LOSSES_FAIL", &failing.len().to_string())?;
    } else if options.verbose >= 1 {
        io.say(&format!("\nSets of nodes that may be lost together: {all}; without room for their instances: {}\n", failing.len()))?;
        for loss in failing.iter().take(if options.verbose > 1 { usize::MAX } else { SHOWN_LOSSES }) {
            let after = evacuable::loss::aftermath(cluster, state, &scope, loss);
            let names: Vec<&str> = loss.nodes.iter().map(|id| cluster.node(*id).name.as_str()).collect();
            let domain = loss.domain.as_ref().map(|domain| format!("{domain}: ")).unwrap_or_default();
            let gone = if after.gone > 0 { format!(", {} without a copy of their disks", after.gone) } else { String::new() };
            io.say(&format!("    {domain}{}: {} instance(s) find no room{gone}\n", names.join(","), after.stranded))?;
        }
    }
    Ok(!failing.is_empty())
}

/// Counts, and one more value with its names.
fn values_of(
    options: &Options,
    io: &mut Io<'_>,
    phase: Phase,
    place: &(String, String),
    counts: &[String],
    last: (&str, &str, &str),
) -> Result<(), Failure> {
    let named = COUNTS.iter().zip(counts).map(|((key, words), value)| (*key, *words, value.as_str()));
    let all = named.chain([last]);
    if options.machine_readable {
        for (key, _, value) in all {
            keys::print(io, "HCHECK", &format!("{}_{}_{key}", phase.0, place.0), value)?;
        }
        return Ok(());
    }
    if options.verbose < 1 {
        return Ok(());
    }
    io.say(&format!("\n{}\n", place.1))?;
    for (_, words, value) in all {
        io.say(&format!("    {words}: {value}\n"))?;
    }
    Ok(())
}
