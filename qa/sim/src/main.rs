//! `cargo xtask sim`: the real daemons of a whole cluster in one thread, with simulated time, network, machines and
//! misfortunes, all from one seed.
//!
//! Each schedule runs in a process of its own (the same program, with `one`), so that nothing of the one before is left and a seed
//! replays exactly.

mod chaos;
mod clients;
mod machine;
mod network;
mod observe;
mod operator;
mod programs;
mod simulation;
mod state;
mod story;
mod system;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gannet_daemon::world::Mistake;

use story::Plan;

#[derive(Debug, Parser)]
#[command(name = "sim", about = "Simulates clusters in which everything breaks")]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
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
        #[arg(long, value_parser = mistake)]
        broken: Option<Mistake>,
        /// Keep the machines' files
        #[arg(long)]
        keep: bool,
    },
}

fn mistake(name: &str) -> Result<Mistake, String> {
    let found = MISTAKES.iter().find(|(known, _)| *known == name);
    found.map(|(_, mistake)| *mistake).ok_or_else(|| {
        let known: Vec<&str> = MISTAKES.iter().map(|(known, _)| *known).collect();
        format!("there is no such mistake; there are {}", known.join(", "))
    })
}

/// The mistakes by their names.
const MISTAKES: [(&str, Mistake); 7] = [
    ("epoch-unchecked", Mistake::EpochUnchecked),
    ("no-sync", Mistake::NoSync),
    ("vote-forgotten", Mistake::VoteForgotten),
    ("no-journal", Mistake::NoJournal),
    ("locks-ignored", Mistake::LocksIgnored),
    ("conditions-ignored", Mistake::ConditionsIgnored),
    ("early-ack", Mistake::EarlyAck),
];

fn main() -> ExitCode {
    let Options { command } = Options::parse();
    match command {
        Command::One { seed, nodes, clients, chaos, broken, keep } => {
            one(&Plan { seed, nodes, clients, chaos_s: chaos, mistake: broken }, keep)
        }
    }
}

fn one(plan: &Plan, keep: bool) -> ExitCode {
    if let Ok(level) = std::env::var("GANNET_SIM_LOG") {
        let filter = tracing_subscriber::EnvFilter::new(level);
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).init();
    }
    gannet_noded::tls::install_provider();
    story::watch_panics();
    // Short: UNIX sockets are below it.
    let dir = PathBuf::from(format!("/tmp/gannet-sim-{}", std::process::id()));
    let ran = story::run(plan, &dir);
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
