//! `-C`: the commands of a plan, shown or written as a script.

use super::option::Options;
use super::{Failure, Io};

/// The head of a script: it stops before the next job when the operator asks for it.
const HEAD: &str = "#!/bin/sh

# Commands that rebalance the cluster, written by htools

# To stop, touch the file /tmp/stop-htools

set -e

check() {
  if [ -f /tmp/stop-htools ]; then
    echo 'Stop requested, exiting'
    exit 0
  fi
}

";

/// Shows or writes `script`, if it was asked for.
pub(super) fn show(options: &Options, io: &mut Io<'_>, title: &str, script: &str) -> Result<(), Failure> {
    match options.print_commands.as_deref() {
        None => Ok(()),
        Some("-") => {
            let lines: String = script.lines().filter(|line| *line != "  check").map(|line| format!("  {line}\n")).collect();
            io.say(&format!("\n{title}\n{lines}"))
        }
        Some(path) => {
            io.write(path, &format!("{HEAD}{script}"))?;
            io.say(&format!("The commands have been written to file '{path}'\n"))
        }
    }
}
