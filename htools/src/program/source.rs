//! From the options of a tool to a cluster that it can work with.

use super::option::Options;
use super::{Failure, Io, backend};
use crate::balance;
use crate::cluster::Cluster;
use crate::evacuable::{Loss, loss};
use crate::id::NodeId;
use crate::load::{self, Loaded, Wishes};
use crate::state::State;
use crate::whatif::{self, WhatIf};

/// A cluster as a tool sees it.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What is known of it.
    pub cluster: Cluster,
    /// Where its instances are.
    pub state: State,
}

/// Reads the cluster that the options name, and complains about what does not add up.
///
/// # Errors
/// It cannot be read, or an option names what is not in it.
pub fn load(options: &Options, io: &mut Io<'_>) -> Result<Prepared, Failure> {
    let backends = [options.master.is_some(), options.luxi.is_some(), options.text_data.is_some()];
    if backends.into_iter().filter(|given| *given).count() > 1 {
        return Err(Failure::error("Only one of the rapi, luxi, and data files options should be given."));
    }
    let wishes = wishes(options, io)?;
    let cluster = backend::read(options, io)?;
    prepare(cluster, &wishes, options, io)
}

/// Makes a cluster that was just read ready for work.
///
/// # Errors
/// An option names what is not in it.
pub(super) fn prepare(cluster: Cluster, wishes: &Wishes, options: &Options, io: &mut Io<'_>) -> Result<Prepared, Failure> {
    let cluster = load::merge(cluster, wishes).map_err(|error| Failure::error(format!("failed to load data, aborting: {error}")))?;
    prepare_merged(cluster, options, io)
}

/// The same for one that is merged already.
///
/// # Errors
/// Its loads cannot be found.
pub(super) fn prepare_merged(cluster: Cluster, options: &Options, io: &mut Io<'_>) -> Result<Prepared, Failure> {
    let mut cluster = backend::mond::add_loads(options, io, cluster)?;
    load::derive::set_memory_ratios(&mut cluster, options.memory_ratio);
    let Loaded { cluster, state, warnings } = load::finish(cluster, options.static_kvm_node_memory, io.n1_rule);
    if options.verbose != 0 && !warnings.is_empty() {
        let lines: String = warnings.iter().map(|warning| format!("  - {warning}\n")).collect();
        io.complain(&format!("Warning: cluster has inconsistent data:\n{lines}\n"));
    }
    changed(Prepared { cluster, state }, options, io)
}

/// The cluster as `--add-nodes` and `--lose` want it. What became of instances is said on the standard error, so that the
/// output stays that of the tool.
fn changed(mut prepared: Prepared, options: &Options, io: &mut Io<'_>) -> Result<Prepared, Failure> {
    let wrong = |option: &'static str| move |error: String| Failure::error(format!("--{option}: {error}"));
    let mut changes = Vec::new();
    for text in &options.add_nodes {
        changes.push(whatif::addition(&prepared.cluster, text).map_err(wrong("add-nodes"))?);
    }
    let mut lost = Vec::new();
    for word in &options.lose {
        lost.extend(whatif::nodes_named(&prepared.cluster, word).map_err(wrong("lose"))?);
    }
    if !lost.is_empty() {
        changes.push(WhatIf::Lose(lost));
    }
    for change in changes {
        let (cluster, state, outcome) = whatif::after(&prepared.cluster, &prepared.state, &change, io.n1_rule);
        match change {
            WhatIf::Add(count, like) => io.complain(&format!("What if: {count} more node(s) like {}\n", prepared.cluster.node(like).name)),
            WhatIf::Lose(_) => io.complain(&format!(
                "What if: {} node(s) lost; {} instance(s) run elsewhere, {} find no room, {} lose their disks, {} have no secondary node \
                 any more\n",
                outcome.nodes, outcome.moved, outcome.stranded, outcome.gone, outcome.unprotected
            )),
        }
        prepared = Prepared { cluster, state };
    }
    Ok(prepared)
}

fn wishes(options: &Options, io: &Io<'_>) -> Result<Wishes, Failure> {
    let bad = |message: String| Failure::error(format!("can't parse utilisation data: {message}"));
    let load = match &options.dynu_file {
        None => Vec::new(),
        Some(path) => load::derive::parse_loads(&io.read(path).map_err(bad)?).map_err(|error| bad(format!("{path}: {error}")))?,
    };
    Ok(Wishes {
        load,
        ignore_load: options.ignore_dynu,
        exclusion: options.exclusion_tags.iter().map(|tag| format!("{tag}:")).collect(),
        selected: options.select_instances.clone(),
        excluded: options.exclude_instances.clone(),
    })
}

/// Takes over `-O`, `--min-disk`, `--keep-disk` and `--max-cpu`.
///
/// # Errors
/// A node is not known, or several fit its name.
pub(super) fn set_node_status(cluster: &mut Cluster, options: &Options) -> Result<(), Failure> {
    let names: Vec<String> = cluster.nodes.iter().map(|node| node.name.clone()).collect();
    let mut wrong = Vec::new();
    for wanted in &options.offline {
        match load::lookup::lookup(names.iter().map(String::as_str), wanted) {
            Ok(name) => cluster.nodes.iter_mut().filter(|node| node.name == name).for_each(|node| node.offline = true),
            Err(_) => wrong.push(wanted.as_str()),
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::error(format!("wrong node name(s) set as offline: {}\n", wrong.join(","))));
    }
    for node in &mut cluster.nodes {
        // A bit more than the ratio says, which is rounded down.
        let kept = crate::state::real(options.keep_disk) / node.total_disk * (1.0 + f64::EPSILON);
        let kept = if options.keep_disk > 0 && kept.is_finite() { kept } else { 0.0 };
        node.min_disk = options.min_disk.max(kept);
        node.vcpu_ratio = options.max_cpu.unwrap_or(node.vcpu_ratio);
    }
    Ok(())
}

/// All nodes of a cluster, in order.
#[must_use]
pub(super) fn all_nodes(cluster: &Cluster) -> Vec<NodeId> {
    cluster.node_ids().collect()
}

/// What the options allow a search for better places.
#[must_use]
pub(super) fn balance_options(options: &Options) -> balance::Options {
    balance::Options {
        disk_moves: options.disk_moves,
        instance_moves: options.instance_moves,
        restricted_migration: options.restricted_migration,
        ignore_soft_errors: options.ignore_soft_errors,
        evacuate: options.evac_mode,
        min_gain: options.min_gain,
        min_gain_limit: options.min_gain_limit,
        max_length: options.max_length,
        weights: options.weights.clone(),
        price: options.price,
        max_copied: options.max_copied,
        plain: false,
    }
}

/// The sets of nodes whose common loss is asked about, besides that of single nodes.
///
/// # Errors
/// There are too many.
pub(super) fn losses(options: &Options, cluster: &Cluster) -> Result<Vec<Loss>, Failure> {
    let mut losses = loss::of_count(cluster, options.survive).map_err(|error| Failure::error(format!("--survive: {error}")))?;
    if let Some(prefix) = &options.failure_domains {
        let domains = loss::of_domains(cluster, prefix);
        if domains.is_empty() {
            return Err(Failure::error(format!("--failure-domains: no online node has a tag that begins with '{prefix}:'")));
        }
        losses.extend(domains);
    }
    Ok(losses)
}
