//! Loads of instances as the monitoring daemons see them (`--mond`), or from a file (`--mond-data`).

use super::super::option::Options;
use super::super::{Failure, Io};
use crate::cluster::Cluster;

/// Puts the loads into a cluster that has been merged and not yet finished.
pub(in super::super) fn add_loads(options: &Options, _: &Io<'_>, cluster: Cluster) -> Result<Cluster, Failure> {
    if options.mond {
        return Err(Failure::error("asking the monitoring daemons (--mond) is not in this version of Gannet yet"));
    }
    Ok(cluster)
}
