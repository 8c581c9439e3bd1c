//! hscan: clusters as files.

use std::path::Path;

use super::option::Options;
use super::{Failure, Io, backend, output, source};
use crate::cluster::Cluster;
use crate::load::Wishes;
use crate::score::score;
use crate::show::{self, number::fixed};
use crate::state::State;

/// What the cluster of this node is called.
const LOCAL: &str = "LOCAL";

pub(super) fn run(options: &Options, clusters: &[String], io: &mut Io<'_>) -> Result<(), Failure> {
    let width = clusters.iter().map(|name| name.chars().count()).max().unwrap_or(LOCAL.len());
    if !options.no_headers {
        let titles = ["Nodes", "Inst", "BNode", "BInst"].map(|title| format!(" {title:>5}")).concat();
        let totals = ["t_mem", "f_mem", "t_disk", "f_disk"].map(|title| format!(" {title:>6}")).concat();
        io.say(&format!("{:<width$}{titles}{totals} {:>10}\n", "Name", "Score"))?;
    }
    let mut good = true;
    if clusters.is_empty() {
        good &= scan(options, io, LOCAL, width, |_| backend::luxi::read(options))?;
    }
    for name in clusters {
        good &= scan(options, io, name, width, |io| backend::rapi::read(name, io))?;
    }
    if good { Ok(()) } else { Err(Failure::with_code(2)) }
}

/// Reads a cluster, shows it and writes it down; `false` when it cannot be read.
fn scan(
    options: &Options,
    io: &mut Io<'_>,
    name: &str,
    width: usize,
    read: impl FnOnce(&mut Io<'_>) -> Result<Cluster, String>,
) -> Result<bool, Failure> {
    let cluster = match read(io) {
        Ok(cluster) => cluster,
        Err(message) => {
            io.say(&format!("\nError for {name}: failed to load data. Details:\n{message}\n"))?;
            return Ok(false);
        }
    };
    let quiet = Options { verbose: 0, mond: false, ..options.clone() };
    let source::Prepared { cluster, state } = source::prepare(cluster, &Wishes::default(), &quiet, io)?;
    io.say_now(&format!("{name:<width$} {}\n", line(&cluster, &state)))?;
    if let Some(fields) = &options.print_nodes {
        io.say(&show::nodes::list(&cluster, &state, &source::all_nodes(&cluster), fields))?;
    }
    let path = Path::new(&options.output_dir).join(format!("{}.data", name.replace('/', "_")));
    io.write(&path.to_string_lossy(), &crate::save::text(&cluster, &state))?;
    Ok(true)
}

fn line(cluster: &Cluster, state: &State) -> String {
    let nodes = source::all_nodes(cluster);
    let (bad_nodes, bad_instances) = output::bad_items(cluster, state, &nodes);
    let total_memory: f64 = cluster.nodes.iter().map(|node| node.total_memory).sum();
    let total_disk: f64 = cluster.nodes.iter().map(|node| node.total_disk).sum();
    let free_memory: i64 = cluster.nodes.iter().map(|node| node.free_memory).sum();
    let free_disk: i64 = state.usage.iter().map(|usage| usage.free_disk).sum();
    format!(
        "{:5} {:5} {:5} {:5} {:>6} {free_memory:6} {:>6} {:6} {}",
        nodes.len(),
        cluster.instances.len(),
        bad_nodes.len(),
        bad_instances.len(),
        fixed(total_memory, 0),
        fixed(total_disk / 1024.0, 0),
        free_disk.div_euclid(1024),
        fixed(score(cluster, state, &nodes), 8)
    )
}
