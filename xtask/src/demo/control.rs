//! `demo stop`, `status` and the faults: power, cables, frozen nodes.

use anyhow::{Context, Result};

use super::{Options, gnt, refuse_inside};
use crate::lab::{Lab, Node};
use crate::say;

/// Ends the cluster of the directory and checks that nothing of it is left. That there is none is fine.
pub fn stop(options: &Options) -> Result<()> {
    refuse_inside()?;
    let dir = options.dir()?;
    let Some(lab) = Lab::load(&dir)? else {
        say::line(format!("No cluster in {}: nothing to stop.", dir.display()));
        return Ok(());
    };
    lab.down()?;
    say::line("Stopped: no process, namespace, mount or interface of the cluster is left.");
    Ok(())
}

/// Prints one line per node.
pub fn status(options: &Options) -> Result<()> {
    let lab = load(options)?;
    for node in &lab.nodes {
        let power = if lab.is_on(node) { "on" } else { "off" };
        println!("{} {} {power} {} processes", node.name, node.ip, lab.processes(node).len());
    }
    Ok(())
}

pub fn off(options: &Options, name: &str) -> Result<()> {
    with(options, name, |lab, node| lab.off(node))
}

pub fn on(options: &Options, name: &str) -> Result<()> {
    with(options, name, power_on)
}

pub fn set_link(options: &Options, name: &str, up: bool) -> Result<()> {
    with(options, name, |lab, node| lab.set_link(node, up))
}

pub fn set_frozen(options: &Options, name: &str, frozen: bool) -> Result<()> {
    with(options, name, |lab, node| lab.set_frozen(node, frozen))
}

/// Power and the daemons, as init would start them.
pub fn power_on(lab: &Lab, node: &Node) -> Result<()> {
    lab.on(node)?;
    gnt::shown(lab, node, "gnt daemon-util start-all", |_| Ok(())).map(drop)
}

fn with(options: &Options, name: &str, act: impl FnOnce(&Lab, &Node) -> Result<()>) -> Result<()> {
    refuse_inside()?;
    let lab = load(options)?;
    act(&lab, lab.node(name)?)
}

fn load(options: &Options) -> Result<Lab> {
    let dir = options.dir()?;
    Lab::load(&dir)?.with_context(|| format!("no cluster in {}; `cargo xtask demo` starts one", dir.display()))
}
