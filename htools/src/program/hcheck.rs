//! hcheck: the health of a cluster, and whether balancing would help.

use super::option::Options;
use super::{Failure, Io};

pub(super) fn run(_: &Options, _: &[String], _: &mut Io<'_>) -> Result<(), Failure> {
    Err(Failure::error("hcheck is not in this version of Gannet yet (see docs/status.md)"))
}
