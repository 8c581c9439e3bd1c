//! `cargo xtask sim`: the real daemons of a whole cluster in one thread, with simulated time, network, machines and
//! misfortunes, all from one seed.
//!
//! Each schedule runs in a process of its own (the same program, with `one`), so that nothing of the one before is left and a seed
//! replays exactly.

mod chaos;
mod clients;
mod disk;
mod machine;
mod mistakes;
mod network;
mod observe;
mod operator;
mod programs;
mod runner;
mod simulation;
mod state;
mod story;
mod system;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use gannet_daemon::world::Mistake;

use runner::{Batch, Sum};
use story::Plan;

#[derive(Debug, Parser)]
#[command(name = "sim", about = "Simulates clusters in which everything breaks")]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run schedules for some time, and print the seeds of those that failed
    Run {
        /// How long, in seconds
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Seed of the first one; the others follow
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many at a time
        #[arg(long, default_value_t = 2)]
        parallel: usize,
        /// How long things break in each, in seconds of the simulated time
        #[arg(long, default_value_t = 60)]
        chaos: u64,
        /// Make a mistake on purpose, and end when it is noticed
        #[arg(long, value_parser = mistakes::named)]
        broken: Option<Mistake>,
    },
    /// Make each mistake on purpose, until it is noticed
    Mistakes {
        /// How long each may go unnoticed, in seconds
        #[arg(long, default_value_t = 300)]
        seconds: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long, default_value_t = 2)]
        parallel: usize,
    },
    /// Run one schedule in this process
    One {
        #[arg(long)]
        seed: u64,
        #[arg(long, default_value_t = 3)]
        nodes: usize,
        #[arg(long, default_value_t = 4)]
        clients: u64,
        /// How long things break, in seconds of the simulated time
        #[arg(long, default_value_t = 60)]
        chaos: u64,
        /// Make a mistake on purpose
        #[arg(long, value_parser = mistakes::named)]
        broken: Option<Mistake>,
        /// Keep the machines' files
        #[arg(long)]
        keep: bool,
    },
}

fn main() -> ExitCode {
    let Options { command } = Options::parse();
    match command {
        Command::Run { seconds, seed, parallel, chaos, broken } => many(&Batch {
            first: seed,
            time: Duration::from_secs(seconds),
            parallel,
            chaos_s: chaos,
            mistake: broken,
            until_failure: broken.is_some(),
        }),
        Command::Mistakes { seconds, seed, parallel } => all_mistakes(Duration::from_secs(seconds), seed, parallel),
        Command::One { seed, nodes, clients, chaos, broken, keep } => {
            one(&Plan { seed, nodes, clients, chaos_s: chaos, mistake: broken }, keep)
        }
    }
}

fn many(batch: &Batch) -> ExitCode {
    let sum = match runner::run(batch) {
        Ok(sum) => sum,
        Err(error) => {
            eprintln!("sim: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let Sum { schedules, jobs, harms, masters, calls, simulated_s, failed, took } = &sum;
    for (seed, why) in failed {
        println!("FAILED: seed {seed}: {why}\nreplay: cargo xtask sim --one {seed} --chaos {}", batch.chaos_s);
    }
    let seconds = took.as_secs_f64();
    println!(
        "{schedules} schedules ({:.1} per minute, {simulated_s} s simulated in {seconds:.0} s): {jobs} jobs, {calls} calls to nodes, {harms} \
         misfortunes, {masters} masters; {} failed",
        *schedules as f64 * 60.0 / seconds.max(0.001),
        failed.len()
    );
    // A mistake made on purpose must be noticed.
    if failed.is_empty() == batch.mistake.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all_mistakes(time: Duration, first: u64, parallel: usize) -> ExitCode {
    let mut unnoticed = Vec::new();
    let often = || mistakes::MISTAKES.into_iter().filter(|(name, _)| !mistakes::SELDOM.contains(name));
    for (name, mistake) in often() {
        let batch = Batch { first, time, parallel, chaos_s: 60, mistake: Some(mistake), until_failure: true };
        match runner::run(&batch) {
            Ok(sum) => match sum.failed.first() {
                Some((_, why)) => {
                    let line = why.lines().next().unwrap_or_default();
                    println!("{name}: noticed after {} schedules, {:.0} s: {line}", sum.schedules, sum.took.as_secs_f64());
                }
                None => {
                    println!("{name}: NOT NOTICED in {} schedules, {:.0} s", sum.schedules, sum.took.as_secs_f64());
                    unnoticed.push(name);
                }
            },
            Err(error) => {
                eprintln!("sim: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    }
    let tried = often().count();
    println!(
        "{} of {tried} mistakes noticed; not tried, as they are seldom noticed: {}",
        tried - unnoticed.len(),
        mistakes::SELDOM.join(", ")
    );
    if unnoticed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Where the machines of a schedule are. Short: UNIX sockets are below it.
fn directory(process: u32) -> PathBuf {
    PathBuf::from(format!("/tmp/gannet-sim-{process}"))
}

fn one(plan: &Plan, keep: bool) -> ExitCode {
    if let Ok(level) = std::env::var("GANNET_SIM_LOG") {
        let filter = tracing_subscriber::EnvFilter::new(level);
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).init();
    }
    gannet_noded::tls::install_provider();
    story::watch_panics();
    let dir = directory(std::process::id());
    // In a thread of its own: the seeds of the standard library's hash maps belong to the thread, and what was done before (options,
    // the log) must not count.
    let ran = std::thread::scope(|scope| {
        let simulation = std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, || story::run(plan, &dir));
        let ended = simulation.map(std::thread::ScopedJoinHandle::join);
        ended.map_err(anyhow::Error::from)?.unwrap_or_else(|_| Err(anyhow::anyhow!("the simulation itself panicked")))
    });
    system::release();
    if !keep {
        let _ = std::fs::remove_dir_all(&dir);
    }
    match ran {
        Ok(report) => {
            println!("{}", story::as_json(&report));
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("seed {}: {error:#}", plan.seed);
            ExitCode::FAILURE
        }
    }
}
