//! `gnt`, also called `gnt-cluster`, `gnt-instance`, …

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let argv: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let env = gannet_cli::environment::Environment::of_process();
    ExitCode::from(gannet_cli::run(&argv, &mut gannet_cli::io::Io::standard(), &env))
}
