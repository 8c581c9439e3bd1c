//! Loads as the monitoring daemons see them (`--mond`), or from a file (`--mond-data`).

mod ask;

use super::super::option::Options;
use super::super::{Failure, Io};
use crate::cluster::Cluster;
use crate::load::mond::{self, Collector, Loads};

/// Puts the loads into a cluster that has been merged and not yet finished.
///
/// # Errors
/// The file with them is none, or something is missing and the options do not allow that.
pub(in super::super) fn add_loads(options: &Options, io: &mut Io<'_>, mut cluster: Cluster) -> Result<Cluster, Failure> {
    if !options.mond {
        return Ok(cluster);
    }
    let unreadable = |message: String| Failure::error(format!("can't parse MonD data: {message}"));
    let file = match &options.mond_data {
        Some(path) => Some(mond::parse_file(&io.read(path).map_err(unreadable)?).map_err(|error| unreadable(format!("{path}: {error}")))?),
        None => None,
    };
    if options.ignore_dynu {
        return Ok(cluster);
    }
    let collector = if options.mond_xen { Collector::XenInstances } else { Collector::Nodes };
    let names: Vec<&str> = cluster.nodes.iter().map(|node| node.name.as_str()).collect();
    let loads: Option<Vec<Loads>> = match file {
        Some(file) => names.iter().map(|name| file.find(name, collector.name()).and_then(|report| collector.read(report))).collect(),
        None => ask::all(&names, collector, io),
    };
    let applied = match loads {
        Some(loads) => mond::apply(&mut cluster, &loads),
        None => Err(format!("Didn't receive an answer by all MonDs, {}'s data will be ignored.", collector.name())),
    };
    match applied {
        Ok(()) => Ok(cluster),
        Err(message) => {
            io.complain(&format!("{message}\n"));
            if options.mond_exit_missing { Err(Failure::error("Not all required data available")) } else { Ok(cluster) }
        }
    }
}
