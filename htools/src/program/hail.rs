//! hail: the allocator that the iallocator interface asks.

use super::option::Options;
use super::{Failure, Io, output, source};
use crate::allocate::{self, dedicated};
use crate::cluster::Cluster;
use crate::iallocator;
use crate::load::iallocator::{Input, Request, parse};

pub(super) fn run(options: &Options, arguments: &[String], io: &mut Io<'_>) -> Result<(), Failure> {
    let path = match arguments {
        [] => return Err(Failure::error("This program needs an input file.")),
        [path] => path,
        _ => return Err(Failure::error("Only one argument is accepted (the input file)")),
    };
    let text = io.read_or_input(path).map_err(Failure::error)?;
    let Input { cluster, request } = parse(&text).map_err(|error| Failure::error(format!("{path}: {error}")))?;
    let elsewhere = options.text_data.is_some() || !options.simulate.is_empty();
    // Loads are those of the cluster that counts.
    let loaded = Options { mond: options.mond && !elsewhere, ..options.clone() };
    let prepared = source::prepare_merged(cluster, &loaded, io)?;
    let source::Prepared { mut cluster, mut state } = if elsewhere {
        let other = source::load(options, io)?;
        known(&request, &other.cluster)?;
        other
    } else {
        prepared
    };
    source::set_node_status(&mut cluster, options)?;
    if options.verbose > 1 {
        io.complain(&format!("Received request: {request:?}\n"));
        if is_dedicated(&cluster, &request) {
            io.complain("All nodes have exclusive storage: the place that costs the fewest future instances is chosen.\n");
        }
    }
    let all = source::all_nodes(&cluster);
    output::nodes(options, io, "Initial cluster", &cluster, &state, &all);
    output::save(options, io, "pre-ialloc", "before iallocator run", &cluster, &state)?;
    let allocation = allocate::Options { losses: source::losses(options, &cluster)?, ..allocation_options(options) };
    let found = iallocator::run(&mut cluster, &mut state, &request, &allocation);
    let shown = found.as_ref().map(|(info, answer)| (info.as_str(), answer)).map_err(|refusal| refusal.0.as_str());
    io.say(&format!("{}\n", iallocator::text(&cluster, shown)))?;
    output::nodes(options, io, "Final cluster", &cluster, &state, &all);
    output::save(options, io, "post-ialloc", "after iallocator run", &cluster, &state)
}

fn allocation_options(options: &Options) -> allocate::Options {
    allocate::Options {
        ignore_soft_errors: options.ignore_soft_errors,
        capacity: options.capacity,
        accept_existing: options.accept_existing,
        restrict_to: options.restrict_to.clone(),
        explain: options.explain,
        ..allocate::Options::default()
    }
}

fn is_dedicated(cluster: &Cluster, request: &Request) -> bool {
    match request {
        Request::Allocate(wanted) => dedicated::is_dedicated(cluster, wanted.group.as_deref()),
        Request::MultiAllocate(all) => dedicated::is_dedicated(cluster, all.first().and_then(|wanted| wanted.group.as_deref())),
        _ => false,
    }
}

/// A request refers to positions in its own cluster; another one must have them, too.
fn known(request: &Request, cluster: &Cluster) -> Result<(), Failure> {
    let (instances, nodes, groups) = match request {
        Request::Allocate(_) | Request::MultiAllocate(_) => return Ok(()),
        Request::AllocateSecondary(id) => (vec![*id], Vec::new(), Vec::new()),
        Request::Relocate { instance, from, .. } => (vec![*instance], from.clone(), Vec::new()),
        Request::NodeEvacuate { instances, .. } => (instances.clone(), Vec::new(), Vec::new()),
        Request::ChangeGroup { instances, targets } => (instances.clone(), Vec::new(), targets.clone()),
    };
    let inside = instances.iter().all(|id| id.at() < cluster.instances.len())
        && nodes.iter().all(|id| id.at() < cluster.nodes.len())
        && groups.iter().all(|id| id.at() < cluster.groups.len());
    if inside { Ok(()) } else { Err(Failure::error("the request is about another cluster than the one that the options name")) }
}
