//! `htools`: the placement tools in one program, chosen by the name it is called by, or by its first argument.
#![forbid(unsafe_code)]

use std::io::{BufWriter, stderr, stdout};
use std::process::ExitCode;

use gannet_htools::program::{self, Io, TOOLS};
use gannet_htools::state::N1Rule;

fn main() -> ExitCode {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let called_as = words.next().unwrap_or_default();
    let own_name = called_as.rsplit('/').next().unwrap_or_default().to_owned();
    // Ganeti: the variable goes before the program's name.
    let mut name = std::env::var("HTOOLS").unwrap_or(own_name).to_lowercase();
    let mut arguments: Vec<String> = words.collect();
    // Beyond Ganeti: `htools hbal …`.
    if name == "htools" && arguments.first().is_some_and(|first| TOOLS.iter().any(|tool| tool.name == first)) {
        name = arguments.remove(0);
    }
    let (mut out, mut err) = (BufWriter::new(stdout()), stderr());
    let mut io = Io { out: &mut out, err: &mut err, n1_rule: N1Rule::default() };
    let mut code = program::run(&name, &arguments, &mut io);
    if std::io::Write::flush(&mut out).is_err() && code == 0 {
        code = 1;
    }
    ExitCode::from(code)
}
