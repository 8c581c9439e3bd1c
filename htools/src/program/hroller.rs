//! hroller: sets of nodes that can be rebooted together.

use super::option::Options;
use super::{Failure, Io};

pub(super) fn run(_: &Options, _: &[String], _: &mut Io<'_>) -> Result<(), Failure> {
    Err(Failure::error("hroller is not in this version of Gannet yet (see docs/status.md)"))
}
