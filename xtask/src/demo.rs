//! `cargo xtask demo`: a cluster on this machine, and the main job shown on it step by step.

pub mod bring_up;
pub mod cluster_file;
pub mod control;
pub mod enter;
pub mod gnt;
pub mod guest;
pub mod heartbeat;
pub mod install;
pub mod os_tiny;
pub mod story;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;

use crate::lab::Kind;
use crate::{process, repo, say};

/// Domain of all names in a demo cluster (`.example` is reserved: it never exists outside).
pub const DOMAIN: &str = "demo.gannet.example";

#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Hypervisor `fake` on loopback: needs no root and starts in seconds (the default without root)
    #[arg(long, global = true)]
    pub fake: bool,
    /// How many nodes
    #[arg(long, default_value_t = 3)]
    pub nodes: u8,
    /// How many nodes may become the master [default: as many as there are, up to 10]
    #[arg(long)]
    pub candidates: Option<u8>,
    /// Only the cluster, without the story
    #[arg(long)]
    pub bare: bool,
    /// Where the cluster's state is; several clusters live side by side in different directories [default: target/demo]
    #[arg(long, global = true)]
    pub dir: Option<PathBuf>,
    /// Domain of the nodes' and the cluster's names
    #[arg(long, default_value = DOMAIN)]
    pub domain: String,
    /// Use programs built without optimisation
    #[arg(long)]
    pub debug: bool,
    /// Build nothing: use the programs in this directory
    #[arg(long)]
    pub bin_dir: Option<PathBuf>,
}

impl Options {
    pub(crate) fn kind(&self) -> Kind {
        if self.fake || !nix::unistd::geteuid().is_root() { Kind::Fake } else { Kind::Real }
    }

    pub(crate) fn dir(&self) -> Result<PathBuf> {
        match &self.dir {
            Some(dir) => Ok(std::path::absolute(dir)?),
            None => Ok(repo::target_dir()?.join("demo")),
        }
    }
}

/// Starts a cluster (ending an earlier one in the same directory) and shows the main job.
pub fn run(options: &Options) -> Result<()> {
    refuse_inside()?;
    let started = Instant::now();
    let cluster = bring_up::run(options)?;
    if !options.bare {
        story::tell(&cluster)?;
    }
    say::line("");
    say::heading(format!("The cluster runs ({} s).", started.elapsed().as_secs()));
    let dir = if options.dir.is_some() { format!(" --dir {}", cluster.lab.dir.display()) } else { String::new() };
    say::line(format!("  enter it:      cargo xtask demo{dir} shell"));
    say::line(format!("  RAPI:          {}  user {}, password in cluster.json", cluster.file.rapi.url, cluster.file.rapi.user));
    say::line(format!("  all addresses: {}", cluster.lab.dir.join("cluster.json").display()));
    say::line(format!("  stop it:       cargo xtask demo{dir} stop"));
    Ok(())
}

/// A demo shell is part of the lab: from there the lab cannot be started or stopped.
pub(crate) fn refuse_inside() -> Result<()> {
    if std::env::var_os(process::MARK).is_some() {
        bail!("this is a shell inside the demo cluster; leave it first (exit)");
    }
    Ok(())
}

/// How long something took.
pub(crate) fn seconds(what: impl FnOnce() -> Result<()>) -> Result<f64> {
    let started = Instant::now();
    what()?;
    Ok(started.elapsed().as_secs_f64())
}
