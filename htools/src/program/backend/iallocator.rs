//! The cluster of an iallocator request (`-I`).

use super::super::Io;
use super::super::option::Options;
use crate::cluster::Cluster;
use crate::load::iallocator::parse_cluster;

pub(super) fn read(options: &Options, io: &Io<'_>) -> Result<Cluster, String> {
    let path = options.ialloc_src.as_deref().unwrap_or("-");
    parse_cluster(&io.read_or_input(path)?).map_err(|error| format!("{path}: {error}"))
}
