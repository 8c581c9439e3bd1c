//! A cluster by LUXI (`-L`).

use super::super::Io;
use super::super::option::Options;
use crate::cluster::Cluster;

pub(super) fn read(_: &Options, _: &Io<'_>) -> Result<Cluster, String> {
    Err("reading a cluster by LUXI (-L) is not in this version of Gannet yet; use a text file (-t)".to_owned())
}
