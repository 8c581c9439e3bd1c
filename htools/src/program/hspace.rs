//! hspace: the room that a cluster still has.

use super::option::Options;
use super::{Failure, Io};

pub(super) fn run(_: &Options, _: &[String], _: &mut Io<'_>) -> Result<(), Failure> {
    Err(Failure::error("hspace is not in this version of Gannet yet (see docs/status.md)"))
}
