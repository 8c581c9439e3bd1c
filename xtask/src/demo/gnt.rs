//! Runs commands on the nodes of a demo cluster as an operator would, showing each.

use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::cluster_file::ClusterFile;
use crate::lab::{Lab, Node};
use crate::{run, say};

/// A step of the story that takes longer than this has failed.
const LIMIT: Duration = Duration::from_secs(180);

/// A cluster that runs.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub lab: Lab,
    pub file: ClusterFile,
}

impl Cluster {
    /// The cluster recorded in a directory.
    ///
    /// # Errors
    /// There is none.
    pub fn load(dir: &std::path::Path) -> Result<Self> {
        let lab = Lab::load(dir)?.with_context(|| format!("no cluster runs in {}; `cargo xtask demo` starts one", dir.display()))?;
        Ok(Self { file: ClusterFile::read(dir)?, lab })
    }

    pub fn master(&self) -> Result<&Node> {
        self.lab.node(&self.file.master)
    }

    /// Shows and runs a command on the master; its output is shown, too.
    ///
    /// # Errors
    /// It failed: the message says where the logs are.
    pub fn gnt(&self, line: &str) -> Result<String> {
        shown(&self.lab, self.master()?, line, |_| Ok(()))
    }
}

/// Shows and runs a command line (words separated by single blanks) on a node; each line that it prints is shown and handed on.
pub fn shown(lab: &Lab, node: &Node, line: &str, mut on_line: impl FnMut(&str) -> Result<()>) -> Result<String> {
    say::line(format!("  {}# {line}", node.short()));
    let mut failure = None;
    let started = Instant::now();
    let output = run_line(lab, node, line, |text| {
        say::indented(text);
        if let Err(error) = on_line(text) {
            failure.get_or_insert(error);
        }
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    if !output.status.success() {
        bail!(
            "`{line}` on {} ended with {} after {:.1} s; its output is above, the daemons' logs are in {}",
            node.name,
            run::status_text(output.status),
            started.elapsed().as_secs_f64(),
            node.log_dir().display()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command line without showing it; the caller judges its exit code.
pub fn quiet(lab: &Lab, node: &Node, line: &str) -> Result<Output> {
    run_line(lab, node, line, |_| {})
}

fn run_line(lab: &Lab, node: &Node, line: &str, on_line: impl FnMut(&str)) -> Result<Output> {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let program = words.next().context("an empty command line")?;
    let mut command = lab.command(node, program)?;
    command.args(words);
    run::streamed(&mut command, LIMIT, on_line)
}
