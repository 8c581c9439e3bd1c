//! hscan: clusters as files.

use super::option::Options;
use super::{Failure, Io};

pub(super) fn run(_: &Options, _: &[String], _: &mut Io<'_>) -> Result<(), Failure> {
    Err(Failure::error("hscan is not in this version of Gannet yet (see docs/status.md)"))
}
