//! `demo exec` and `demo shell`: this process becomes the program on the node, so exit codes, signals and the terminal are its own.

use std::fs;

use anyhow::{Context, Result};

use super::gnt::Cluster;
use super::{Options, refuse_inside};
use crate::lab::{Lab, Node, files};
use crate::run;

/// Runs a command on a node (the master by default). Returns only when it cannot be started.
pub fn exec(options: &Options, node: Option<&str>, command: &[String]) -> Result<()> {
    let (lab, node) = find(options, node)?;
    // The directory of the caller, where the node has it too: file names in the arguments keep their meaning.
    let mut entered = lab.command(&node, "sh")?;
    entered
        .args(["-c", "cd \"$0\" 2>/dev/null || cd /; exec \"$@\""])
        .arg(std::env::current_dir().unwrap_or_else(|_| "/".into()))
        .args(command);
    Err(run::become_program(&mut entered))
}

/// A shell on a node (the master by default).
pub fn shell(options: &Options, node: Option<&str>) -> Result<()> {
    refuse_inside()?;
    let (lab, node) = find(options, node)?;
    let rc = node.meta.join("bashrc");
    let text = format!("PS1='gannet:{} \\w# '\necho 'gnt-cluster, gnt-node, gnt-instance, … work here; exit leaves.'\n", node.short());
    files::write(&rc, &text, 0o644)?;
    let mut entered = lab.command(&node, "bash")?;
    entered.arg("--rcfile").arg(rc).arg("-i");
    Err(run::become_program(&mut entered))
}

fn find(options: &Options, name: Option<&str>) -> Result<(Lab, Node)> {
    let dir = options.dir()?;
    let lab = Lab::load(&dir)?.with_context(|| format!("no cluster runs in {}; `cargo xtask demo` starts one", dir.display()))?;
    let node = match name {
        Some(name) => lab.node(name)?.clone(),
        None => master(&lab),
    };
    Ok((lab, node))
}

/// The node that says it is the master (the role may have moved), else the one that was made master.
fn master(lab: &Lab) -> Node {
    let named = Cluster::load(&lab.dir).ok().and_then(|cluster| cluster.master().ok().cloned()).unwrap_or_else(|| lab.first().clone());
    let seen = lab
        .nodes
        .iter()
        .filter(|node| lab.is_on(node))
        .find_map(|node| fs::read_to_string(node.data_dir().join("ssconf_master_node")).ok());
    seen.and_then(|name| lab.node(name.trim()).ok().cloned()).filter(|node| lab.is_on(node)).unwrap_or(named)
}
