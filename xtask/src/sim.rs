//! `cargo xtask sim`: builds the simulator (with some optimisation) and runs it.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::packages::{self, Group};
use crate::{repo, run, say};

/// A build from nothing took 6 minutes on two contended cores.
const BUILD_LIMIT: Duration = Duration::from_secs(3600);
/// The profile that it is built with.
pub const PROFILE: &str = "sim";

/// What is simulated.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How long to go on, in seconds; with --mistakes: how long each may go unnoticed
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seed of the first schedule; the others follow
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many schedules at a time
    #[arg(long, default_value_t = 2)]
    parallel: usize,
    /// How long things break in each schedule, in seconds of the simulated time
    #[arg(long, default_value_t = 60)]
    chaos: u64,
    /// Run this one schedule only; GANNET_SIM_LOG=info shows what happens
    #[arg(long, value_name = "SEED", conflicts_with = "mistakes")]
    one: Option<u64>,
    /// Make a mistake on purpose, to see it noticed
    #[arg(long, value_name = "MISTAKE", conflicts_with = "mistakes")]
    broken: Option<String>,
    /// Make each mistake on purpose, until it is noticed
    #[arg(long)]
    mistakes: bool,
}

/// Runs it; its exit code is passed on.
///
/// # Errors
/// It does not build.
pub fn run(options: &Options) -> Result<ExitCode> {
    packages::ensure(&[Group::Build])?;
    say::heading("Building the simulator");
    let mut build = repo::cargo();
    build.args(["build", "-p", "gannet-sim", "--bin", "sim", "--profile", PROFILE, "--quiet"]);
    let output = run::streamed(&mut build, BUILD_LIMIT, |line| say::line(line))?;
    if !output.status.success() {
        bail!("the simulator does not build");
    }
    let metadata = repo::metadata(false)?;
    let target = metadata["target_directory"].as_str().context("`cargo metadata` names no target directory")?;
    let mut command = Command::new(format!("{target}/{PROFILE}/sim"));
    let numbers = |command: &mut Command| {
        command.args(["--seconds", &options.seconds.to_string(), "--seed", &options.seed.to_string()]);
        command.args(["--parallel", &options.parallel.to_string()]);
    };
    let chaos = options.chaos.to_string();
    match options.one {
        Some(seed) => drop(command.args(["one", "--seed", &seed.to_string(), "--chaos", &chaos])),
        None if options.mistakes => numbers(command.arg("mistakes")),
        None => {
            numbers(command.arg("run"));
            command.args(["--chaos", &chaos]);
        }
    }
    if let Some(name) = &options.broken {
        command.args(["--broken", name]);
    }
    let status = command.status().context("the simulator cannot be started")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
