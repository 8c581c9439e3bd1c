//! The command line of gannet-masterd.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use gannet_core::paths::Paths;

/// The master daemon of Gannet: runs jobs and answers queries. It is active on the node whose confd leads.
#[derive(Debug, Parser)]
#[command(name = "gannet-masterd", version)]
pub struct Options {
    /// Stay in the foreground and log to standard error
    #[arg(short, long)]
    pub foreground: bool,
    /// Log more
    #[arg(short, long)]
    pub debug: bool,
    /// Prefix of all paths (a virtual node)
    #[arg(long, env = "GANETI_ROOTDIR", value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Instead of running as a daemon
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Other things that the program does.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Command {
    /// Makes this node the first one of a new cluster; reads its description as JSON from standard input. `gnt-cluster init` calls it
    Bootstrap,
    /// Makes this master candidate the master. `gnt-cluster master-failover` calls it
    TakeOver,
}

impl Options {
    /// Where things lie.
    #[must_use]
    pub fn paths(&self) -> Paths {
        Paths::new(self.root.clone())
    }
}
