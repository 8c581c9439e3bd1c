//! The network of a lab: a switch in a namespace of its own, one cable per node, and one to the host, so that RAPI and the
//! nodes can be reached from outside.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::init::Spec;
use super::{anchor, running, start_init};
use crate::lab::{Lab, Node};
use crate::{repo, run};

const LIMIT: Duration = Duration::from_secs(10);

pub(super) fn switch_meta(lab: &Lab) -> PathBuf {
    lab.base.join("meta/switch")
}

pub(super) fn switch_mark(lab: &Lab) -> PathBuf {
    lab.base.join("switch")
}

/// The lab's interface on the host. Derived from the directory; 15 bytes are the limit for such a name.
pub fn host_interface(lab: &Lab) -> String {
    format!("gd{:08x}", repo::stable_hash(lab.dir.as_os_str().as_encoded_bytes()) as u32)
}

/// Creates the switch and the cable to the host (which has the address .254).
pub(super) fn start_switch(lab: &Lab) -> Result<()> {
    let spec = Spec { meta: switch_meta(lab), host_name: "switch".to_owned(), binds: Vec::new(), hide_kvm: false };
    start_init(lab, &switch_meta(lab), &switch_mark(lab), &spec)?;
    let pid = switch_pid(lab)?;
    inside(&pid, "link set lo up")?;
    inside(&pid, "link add br0 type bridge stp_state 0 forward_delay 0")?;
    inside(&pid, "link set br0 up")?;
    let host = host_interface(lab);
    ip(&format!("link add {host} type veth peer name host netns {pid}"))?;
    inside(&pid, "link set host master br0 up")?;
    ip(&format!("addr add {}/24 dev {host}", lab.prefix.address(254)))?;
    ip(&format!("link set {host} up"))
}

/// Plugs a node in: br0 of the node holds its address and its guests' taps.
pub(super) fn connect(lab: &Lab, node: &Node) -> Result<()> {
    let switch = switch_pid(lab)?;
    let pid = anchor(node).with_context(|| format!("{} went off while it was started", node.name))?.pid.to_string();
    let port = port(node);
    // What a power loss left; that there is none is the normal case.
    let _ = inside(&switch, &format!("link del {port}"));
    inside(&switch, &format!("link add {port} type veth peer name eth0 netns {pid}"))?;
    inside(&switch, &format!("link set {port} master br0 up"))?;
    inside(&pid, "link set lo up")?;
    // A fixed MAC: after a power cycle the neighbours' ARP entries are still right, else first connections take 10 s.
    inside(&pid, &format!("link add br0 address 02:00:00:77:00:{:02x} type bridge stp_state 0 forward_delay 0", node.index))?;
    inside(&pid, "link set eth0 master br0 up")?;
    inside(&pid, "link set br0 up")?;
    inside(&pid, &format!("addr add {}/24 dev br0", node.ip))
}

/// Plugs the node's cable in or out, at the switch.
pub fn set_link(lab: &Lab, node: &Node, up: bool) -> Result<()> {
    let state = if up { "up" } else { "down" };
    inside(&switch_pid(lab)?, &format!("link set {} {state}", port(node)))
}

fn port(node: &Node) -> String {
    format!("v{}", node.index)
}

fn switch_pid(lab: &Lab) -> Result<String> {
    let switch = running(&switch_meta(lab)).context("the lab's switch is not running; `cargo xtask demo stop`, then start anew")?;
    Ok(switch.pid.to_string())
}

fn ip(arguments: &str) -> Result<()> {
    run::text(Command::new("ip").args(arguments.split(' ')), LIMIT).map(drop)
}

fn inside(pid: &str, arguments: &str) -> Result<()> {
    run::text(Command::new("nsenter").args(["-t", pid, "-n", "--", "ip"]).args(arguments.split(' ')), LIMIT).map(drop)
}
