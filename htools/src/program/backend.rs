//! Which backend the options name, and reading from it.

mod http;
mod iallocator;
pub(super) mod luxi;
pub(super) mod mond;
pub(super) mod rapi;

use super::option::Options;
use super::{Failure, Io};
use crate::cluster::Cluster;
use crate::load::{self, Error};

/// Reads the cluster.
///
/// # Errors
/// No backend is named, or it does not give a cluster.
pub(super) fn read(options: &Options, io: &mut Io<'_>) -> Result<Cluster, Failure> {
    let found = if let Some(address) = &options.master {
        rapi::read(address, io)
    } else if options.luxi.is_some() {
        luxi::read(options)
    } else if !options.simulate.is_empty() {
        load::simulation::parse(&options.simulate).map_err(|error| error.to_string())
    } else if let Some(path) = &options.text_data {
        io.read(path).and_then(|text| in_file(path, load::text::parse(&text, options.repeated)))
    } else if options.ialloc_src.is_some() {
        iallocator::read(options, io)
    } else {
        Err("No backend selected! Exiting.".to_owned())
    };
    found.map_err(|message| Failure::error(format!("failed to load data, aborting: {message}")))
}

fn in_file(path: &str, read: Result<Cluster, Error>) -> Result<Cluster, String> {
    read.map_err(|error| format!("{path}: {error}"))
}
