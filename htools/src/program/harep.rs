//! harep: repairs as far as tags allow them.

use super::option::Options;
use super::{Failure, Io};

pub(super) fn run(_: &Options, _: &[String], _: &mut Io<'_>) -> Result<(), Failure> {
    Err(Failure::error("harep is not in this version of Gannet yet (see docs/status.md)"))
}
