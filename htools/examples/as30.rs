//! The tools as Ganeti 3.0 judges N+1 at loading, to compare with that version: `as30 hbal -t cluster.data`. Everything else
//! is as in the real program, which knows only 3.1's rule.

use std::io::{stderr, stdout};
use std::process::ExitCode;

use gannet_htools::program::{self, Io};
use gannet_htools::state::N1Rule;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((tool, rest)) = arguments.split_first() else { return ExitCode::from(2) };
    let mut io = Io { out: &mut stdout(), err: &mut stderr(), n1_rule: N1Rule::Reported };
    ExitCode::from(program::run(tool, rest, &mut io))
}
