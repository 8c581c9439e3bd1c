//! hsqueeze: nodes that can be powered off, or must be powered on.

use super::option::Options;
use super::{Failure, Io};

pub(super) fn run(_: &Options, _: &[String], _: &mut Io<'_>) -> Result<(), Failure> {
    Err(Failure::error("hsqueeze is not in this version of Gannet yet (see docs/status.md)"))
}
