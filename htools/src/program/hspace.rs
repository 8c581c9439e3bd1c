//! hspace: the room that a cluster still has.

mod report;
mod show;

use super::option::{Options, Wanted};
use super::{Failure, Io, output, source};
use crate::allocate::{self, Targets, targets};
use crate::capacity::forecast::Forecast;
use crate::capacity::{self, Filled, Question, Size, Totals};
use crate::cluster::Cluster;
use crate::evacuable;
use crate::explain;
use crate::fail::FailMode;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::instance::Instance;
use crate::score::{Stats, Weights};
use crate::show::number::fixed;
use crate::show::{haskell, score as components};
use crate::state::State;
use gannet_core::param::{AllocPolicy, DiskTemplate};
use show::{Kind, Outcome};

pub(super) fn run(options: &Options, arguments: &[String], io: &mut Io<'_>) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::error("This program doesn't take any arguments."));
    }
    let source::Prepared { mut cluster, state } = source::load(options, io)?;
    source::set_node_status(&mut cluster, options)?;
    let template = template(options, &cluster)?;
    let losses = source::losses(options, &cluster)?;
    introduce(options, io, &cluster, &state)?;
    let mut allocation = allocate::Options {
        capacity: options.capacity,
        accept_existing: options.accept_existing,
        losses,
        explain: options.explain,
        ..allocate::Options::default()
    };
    let (closed, open) = closed_groups(options, io, &cluster, &state, &mut allocation);
    let count = i64::try_from(instance(&Size::from(&cluster.policy.standard), template, 1).required_nodes()).unwrap_or(i64::MAX);
    let targets = open_targets(&cluster, &closed, count, &allocation)?;
    if options.verbose > 3 {
        io.complain(&format!("Allocatable nodes: {}\n", shown_targets(&cluster, &targets)));
    }
    let limit = (options.max_length != -1).then_some(options.max_length);
    let question = Question { cluster: &cluster, state: &state, targets: &targets, options: &allocation, limit };
    let spindle_use = options.spindle_use.unwrap_or(cluster.policy.standard.spindles);
    let make = |size: &Size| instance(size, template, spindle_use);
    let (filled, tiers) = fill(options, io, &question, open, &make)?;
    let after = Totals::new(&filled.cluster, &filled.state);
    let report = report::Report {
        forecast: Forecast::new(&Totals::new(&cluster, &state), &after, filled.count(), options.rate),
        standard: standard_size(options, &cluster),
        filled: &filled,
        reasons: reasons(&filled, open),
        tiers,
    };
    report::write(options, io, &report)?;
    if options.explain {
        explain(options, io, &filled, &make, (&allocation, &closed, open))?;
    }
    show::end(options, io)
}

/// Places the tiers and then, from the beginning again, instances of one size. Unless `open`, nothing is placed. Gives back the
/// second, and the sizes of the first.
fn fill(
    options: &Options,
    io: &mut Io<'_>,
    question: &Question<'_>,
    open: bool,
    make: &dyn Fn(&Size) -> Instance,
) -> Result<(Filled, Vec<(Size, usize)>), Failure> {
    let before = Totals::new(question.cluster, question.state);
    let policy = &question.cluster.policy;
    let tiers: Vec<Size> = match &options.tiered_alloc {
        Some(wanted) => vec![size(wanted)],
        None => policy.ranges.iter().map(|range| Size::from(&range.max)).collect(),
    };
    let first = *tiers.first().ok_or_else(|| Failure::error("Empty list of specs received from the cluster"))?;
    let sizes: Vec<Instance> = tiers.iter().map(make).collect();
    let filled = if open { capacity::tiered(question, &sizes).map_err(failed)? } else { unchanged(question) };
    finish(options, io, &filled, (&first, &make(&first)), Kind::Tiered)?;
    let outcome = Outcome { question, before: &before, filled: &filled, reasons: reasons(&filled, open) };
    show::tiered(options, io, &outcome)?;
    let counted = filled.sizes();
    let standard = standard_size(options, question.cluster);
    let filled = if open { capacity::standard(question, &make(&standard)).map_err(failed)? } else { unchanged(question) };
    finish(options, io, &filled, (&standard, &make(&standard)), Kind::Standard)?;
    let outcome = Outcome { question, before: &before, filled: &filled, reasons: reasons(&filled, open) };
    show::standard(options, io, &outcome)?;
    Ok((filled, counted))
}

fn standard_size(options: &Options, cluster: &Cluster) -> Size {
    options.standard_alloc.as_ref().map_or_else(|| Size::from(&cluster.policy.standard), size)
}

/// Why no more of the standard size fit, and what would help.
fn explain(
    options: &Options,
    io: &mut Io<'_>,
    filled: &Filled,
    make: &dyn Fn(&Size) -> Instance,
    (allocation, closed, open): (&allocate::Options, &[GroupId], bool),
) -> Result<(), Failure> {
    if !open {
        let (bad_nodes, _) = output::bad_items(&filled.cluster, &filled.state, &source::all_nodes(&filled.cluster));
        let names: Vec<&str> = bad_nodes.iter().map(|id| filled.cluster.node(*id).name.as_str()).collect();
        let sentence = format!(
            "nothing is placed because {} could not take over the instances of another node now; --accept-existing-errors places \
             nevertheless, --independent-groups in other groups",
            names.join(", ")
        );
        return show::explanation(options, io, &[sentence]);
    }
    let mut cluster = filled.cluster.clone();
    let id = InstanceId::new(cluster.instances.len());
    cluster.instances.push(make(&standard_size(options, &filled.cluster)));
    for group in closed {
        cluster.groups[group.at()].alloc_policy = AllocPolicy::Unallocable;
    }
    let question = explain::Question { cluster: &cluster, state: &filled.state, id, group: None, options: allocation };
    let sentences =
        if question.fits() { vec!["one more would fit; -l forbids it".to_owned()] } else { question.explain().sentences(&question) };
    show::explanation(options, io, &sentences)
}

/// What is shown and saved of each of the two, before its numbers.
fn finish(options: &Options, io: &mut Io<'_>, filled: &Filled, wanted: (&Size, &Instance), kind: Kind) -> Result<(), Failure> {
    let Filled { cluster, state, .. } = filled;
    show::wanted(options, io, wanted, kind, has_exclusive_storage(cluster))?;
    if options.verbose > 1 {
        io.complain(&show::map(filled, kind));
    }
    output::nodes(options, io, &format!("{} allocation", kind.name()), cluster, state, &source::all_nodes(cluster));
    let lower = kind.name().to_lowercase();
    output::save(options, io, &lower, &format!("after {lower} allocation"), cluster, state)
}

fn failed(refusal: allocate::Refusal) -> Failure {
    Failure::error(format!("failure during allocation: {refusal}"))
}

fn size(wanted: &Wanted) -> Size {
    Size { memory: wanted.memory, disk: wanted.disk, vcpus: wanted.cpus, spindles: wanted.spindles }
}

fn instance(size: &Size, template: DiskTemplate, spindle_use: i64) -> Instance {
    size.instance(template, spindle_use)
}

fn template(options: &Options, cluster: &Cluster) -> Result<DiskTemplate, Failure> {
    let of_policy = cluster.policy.templates.first().copied();
    let of_policy = of_policy.ok_or_else(|| Failure::error("null list of disk templates received from cluster"))?;
    Ok(options.disk_template.unwrap_or(of_policy))
}

/// Nothing is placed.
fn unchanged(question: &Question<'_>) -> Filled {
    let (cluster, state) = (question.cluster.clone(), question.state.clone());
    Filled { first: cluster.instances.len(), cluster, state, failures: None }
}

/// Why nothing more fits, the most frequent first.
fn reasons(filled: &Filled, open: bool) -> Vec<(FailMode, u64)> {
    if !open {
        return vec![(FailMode::GlobalN1, 1)];
    }
    let Some(failures) = &filled.failures else { return Vec::new() };
    let mut reasons: Vec<_> = FailMode::ALL.into_iter().map(|mode| (mode, failures.get(mode))).collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons
}

fn has_exclusive_storage(cluster: &Cluster) -> bool {
    cluster.nodes.iter().any(|node| node.exclusive_storage)
}

/// What is said before anything is placed.
fn introduce(options: &Options, io: &mut Io<'_>, cluster: &Cluster, state: &State) -> Result<(), Failure> {
    let suffix = cluster.common_suffix();
    if !suffix.is_empty() && options.verbose > 1 {
        io.complain(&format!("Note: Stripping common suffix of '{suffix}' from names\n"));
    }
    let nodes = source::all_nodes(cluster);
    output::nodes(options, io, "Initial cluster", cluster, state, &nodes);
    if options.verbose > 2 {
        let stats = Stats::new(cluster, state, &nodes);
        let table = components::components("  ", &stats, &Weights::default());
        io.complain(&format!("Initial coefficients: overall {}\n{table}", fixed(stats.score(), 8)));
    }
    show::cluster(options, io, cluster, &Totals::new(cluster, state))
}

/// Groups that are not healthy and take no new instances, and whether anything is placed at all.
fn closed_groups(
    options: &Options,
    io: &mut Io<'_>,
    cluster: &Cluster,
    state: &State,
    allocation: &mut allocate::Options,
) -> (Vec<GroupId>, bool) {
    let (bad_nodes, _) = output::bad_items(cluster, state, &source::all_nodes(cluster));
    let asked = options.independent_groups || options.verbose > 3;
    let is_bad = |group: &GroupId| {
        let scope = allocation.scope(cluster.nodes_of(*group).collect());
        !evacuable::all(cluster, state, &scope)
    };
    let bad_groups: Vec<GroupId> = if asked { cluster.group_ids().filter(is_bad).collect() } else { Vec::new() };
    if options.verbose > 3 {
        let names: Vec<String> = bad_nodes.iter().map(|id| cluster.node(*id).name.clone()).collect();
        let groups: Vec<String> = bad_groups.iter().map(|id| cluster.group(*id).name.clone()).collect();
        for (what, names) in [("nodes", names), ("groups", groups)] {
            if !names.is_empty() {
                io.complain(&format!("Bad {what}: {}\n", haskell::strings(&names)));
            }
        }
    }
    let mut closed: Vec<GroupId> = Vec::new();
    if !options.accept_existing {
        closed.extend(bad_nodes.iter().map(|id| cluster.node(*id).group));
    }
    if options.independent_groups {
        closed.extend(&bad_groups);
        allocation.ignored_groups = bad_groups;
    }
    let remain = cluster.group_ids().any(|id| cluster.group(id).is_allocable() && !closed.contains(&id));
    let open = options.accept_existing || (options.independent_groups && remain) || bad_nodes.is_empty();
    (closed, open)
}

/// Where new instances can be tried.
fn open_targets(cluster: &Cluster, closed: &[GroupId], count: i64, allocation: &allocate::Options) -> Result<Targets, Failure> {
    let open = |id: &NodeId| !closed.contains(&cluster.node(*id).group);
    let nodes: Vec<NodeId> = cluster.node_ids().filter(open).collect();
    targets(cluster, &nodes, count, allocation, true).map_err(failed)
}

fn shown_targets(cluster: &Cluster, targets: &Targets) -> String {
    let list = |ids: &[NodeId]| {
        let numbers: Vec<String> = ids.iter().map(|id| (id.at() + cluster.first_index).to_string()).collect();
        format!("[{}]", numbers.join(","))
    };
    match targets {
        Targets::Single(nodes) => format!("Left {}", list(nodes)),
        Targets::Pairs(pairs) => {
            let pair = |(p, at): &(NodeId, usize)| {
                let seconds: Vec<NodeId> = pairs.seconds[*at].iter().copied().filter(|s| s != p).collect();
                format!("({},{})", p.at() + cluster.first_index, list(&seconds))
            };
            let shown: Vec<String> = pairs.primaries.iter().map(pair).collect();
            format!("Right [{}]", shown.join(","))
        }
    }
}
