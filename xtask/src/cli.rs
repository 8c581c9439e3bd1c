//! The command line of `cargo xtask`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::demo::{self, Options};
use crate::{build, interrupt, packages, say, sim, test, tidy, vnode};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Shows and tests Gannet on this machine", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Start a cluster on this machine and show the main job on it; or enter, change and stop such a cluster
    Demo {
        #[command(flatten)]
        options: Options,
        #[command(subcommand)]
        action: Option<DemoAction>,
    },
    /// Install what the tests need and run all tiers, or the named ones
    Test {
        /// fmt, clippy, tidy, unit, deny, vcluster, vnodes, or another test target of qa/ (default: all, in this order)
        tiers: Vec<String>,
    },
    /// Simulate whole clusters in which everything breaks, from seeds; failing seeds are printed and replay exactly
    Sim(sim::Options),
    /// Check the tree: forbidden dependencies, file lengths, leftovers, licences
    Tidy,
    /// Build the programs and print the directory they are in
    Build {
        /// Build without optimisation
        #[arg(long)]
        debug: bool,
    },
    /// Install Debian packages for a purpose
    Packages {
        #[arg(value_enum, required = true)]
        groups: Vec<PackageGroup>,
    },
    /// Virtual nodes with libvirt only, without Gannet
    #[command(hide = true)]
    Vnode {
        #[arg(long, default_value = "target/vnode", global = true)]
        dir: PathBuf,
        #[command(subcommand)]
        action: vnode::bare::Action,
    },
    /// Pid 1 of a virtual node
    #[command(name = "_init", hide = true)]
    Init { spec: PathBuf },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum PackageGroup {
    Build,
    Demo,
    Test,
    Peer,
}

impl From<PackageGroup> for packages::Group {
    fn from(group: PackageGroup) -> Self {
        match group {
            PackageGroup::Build => Self::Build,
            PackageGroup::Demo => Self::Real,
            PackageGroup::Test => Self::Test,
            PackageGroup::Peer => Self::Peer,
        }
    }
}

#[derive(Debug, Subcommand)]
enum DemoAction {
    /// A shell on the master, in which the gnt-* commands work
    Shell {
        /// Another node than the master
        #[arg(long)]
        node: Option<String>,
    },
    /// Run a command on the master or another node; its exit code is passed on
    Exec {
        /// Another node than the master
        #[arg(long)]
        node: Option<String>,
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// End the cluster; nothing of it is left on the machine
    Stop,
    /// What runs where
    Status,
    /// Power loss of a node
    Off { node: String },
    /// Power on a node; its daemons start as at boot
    On { node: String },
    /// Unplug a node's network cable
    Cut { node: String },
    /// Plug it in again
    Join { node: String },
    /// Stop all processes of a node: it answers nothing, but is there
    Freeze { node: String },
    /// Let them go on
    Thaw { node: String },
}

/// Parses the command line, runs the task, prints an error with its causes.
pub fn main() -> ExitCode {
    let outcome = run(Arguments::parse());
    interrupt::hold();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            say::line(format!("error: {error}"));
            for cause in error.chain().skip(1) {
                say::line(format!("  because: {cause}"));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.task {
        Task::Demo { options, action: None } => demo::run(&options)?,
        Task::Demo { options, action: Some(action) } => demo_action(&options, action)?,
        Task::Test { tiers } => return test::run(&tiers),
        Task::Sim(options) => return sim::run(&options),
        Task::Tidy => tidy::run()?,
        Task::Build { debug } => {
            packages::ensure(&[packages::Group::Build])?;
            println!("{}", build::programs(if debug { build::Profile::Dev } else { build::Profile::Release })?.display());
        }
        Task::Packages { groups } => packages::ensure(&groups.into_iter().map(Into::into).collect::<Vec<_>>())?,
        Task::Vnode { dir, action } => vnode::bare::run(&dir, action)?,
        Task::Init { spec } => vnode::init::run(&spec)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn demo_action(options: &Options, action: DemoAction) -> Result<()> {
    match action {
        DemoAction::Shell { node } => demo::enter::shell(options, node.as_deref()),
        DemoAction::Exec { node, command } => demo::enter::exec(options, node.as_deref(), &command),
        DemoAction::Stop => demo::control::stop(options),
        DemoAction::Status => demo::control::status(options),
        DemoAction::Off { node } => demo::control::off(options, &node),
        DemoAction::On { node } => demo::control::on(options, &node),
        DemoAction::Cut { node } => demo::control::set_link(options, &node, false),
        DemoAction::Join { node } => demo::control::set_link(options, &node, true),
        DemoAction::Freeze { node } => demo::control::set_frozen(options, &node, true),
        DemoAction::Thaw { node } => demo::control::set_frozen(options, &node, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_command_lines_are_understood() {
        let lines: &[&[&str]] = &[
            &["demo"],
            &["demo", "--fake", "--nodes", "4", "--bare"],
            &["demo", "shell"],
            &["demo", "exec", "--node", "node2", "--", "ls", "-l"],
            &["demo", "exec", "gnt-node", "list", "--no-headers"],
            &["demo", "stop", "--dir", "/tmp/x"],
            &["test", "fmt", "unit"],
            &["sim", "--seconds", "60", "--seed", "7"],
            &["sim", "--one", "12", "--broken", "no-sync"],
            &["sim", "--mistakes"],
            &["vnode", "up", "3"],
        ];
        for line in lines {
            let parsed = Arguments::try_parse_from(std::iter::once(&"xtask").chain(*line));
            assert!(parsed.is_ok(), "{line:?}: {}", parsed.err().map(|e| e.to_string()).unwrap_or_default());
        }
    }
}
