//! Fake nodes: a directory each (`GANETI_ROOTDIR`), an address of the loopback range each, no privileges.
//!
//! "Power" of such a node is a file; losing it is kill -9 of everything that carries the node's mark, and the loss of `run/`.

use std::os::unix::fs::symlink;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::lab::{Lab, Node, files};
use crate::{process, run};

pub fn is_on(node: &Node) -> bool {
    node.meta.join("on").exists()
}

pub fn up(lab: &Lab) -> Result<()> {
    lab.nodes.iter().filter(|node| !is_on(node)).try_for_each(|node| power_on(lab, node))
}

pub fn power_on(lab: &Lab, node: &Node) -> Result<()> {
    for dir in ["etc/ganeti", "var/lib/ganeti", "var/log/ganeti", "srv/ganeti", "run/lock", "var/lock"] {
        files::create_dir(&node.root.join(dir))?;
    }
    files::write(&node.root.join("etc/hosts"), &hosts(lab), 0o644)?;
    files::write(&node.root.join("etc/ganeti/file-storage-paths"), STORAGE_PATHS, 0o644)?;
    let shared = node.root.join("srv/ganeti/shared-file-storage");
    if !shared.is_symlink() {
        symlink(lab.shared(), &shared).with_context(|| format!("cannot create {}", shared.display()))?;
    }
    files::write(&node.meta.join("on"), "", 0o644)
}

pub fn power_off(node: &Node) -> Result<()> {
    files::remove_file(&node.meta.join("on"))?;
    end_all(node)?;
    // What a reboot clears.
    files::remove_tree(&node.root.join("run"))
}

pub fn down(lab: &Lab) -> Result<()> {
    lab.nodes.iter().try_for_each(power_off)?;
    // What was started from outside any node but carries the lab's mark.
    end(|| process::marked(&lab.base))
}

fn end_all(node: &Node) -> Result<()> {
    end(|| process::marked(&node.root))
}

/// Kills until nothing is left: a process may start another while we look.
fn end(find: impl Fn() -> Vec<process::Identity>) -> Result<()> {
    run::wait_for("processes that ignore kill -9", Duration::from_secs(10), || {
        let found = find();
        found.iter().for_each(process::Identity::kill);
        found.is_empty().then_some(())
    })
}

/// `/etc/hosts` of every node of a lab, real or fake.
pub fn hosts(lab: &Lab) -> String {
    let mut text = String::from("127.0.0.1 localhost\n");
    let mut add = |ip: std::net::Ipv4Addr, name: &str| {
        let short = name.split('.').next().unwrap_or(name);
        text.push_str(&format!("{ip} {name} {short}\n"));
    };
    add(lab.cluster_ip(), &lab.cluster_name);
    for node in &lab.nodes {
        add(node.ip, &node.name);
    }
    let domain = lab.cluster_name.split_once('.').map_or("", |(_, domain)| domain);
    // Names for instances, so that Ganeti's name check has something to find.
    for index in 1..=GUEST_NAMES {
        add(lab.prefix.address(100 + index), &format!("instance{index}.{domain}"));
    }
    text
}

/// Instances that have a name and an address in `/etc/hosts`: 101 to 150.
pub const GUEST_NAMES: u8 = 50;
/// Which directories file-based disks may be in.
pub const STORAGE_PATHS: &str = "/srv/ganeti/file-storage\n/srv/ganeti/shared-file-storage\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Kind;

    #[test]
    fn a_node_loses_its_processes_and_its_run_directory_with_its_power() {
        let dir = tempfile::tempdir().expect("a directory");
        let lab = Lab::plan(dir.path(), Kind::Fake, 2, "demo.gannet.example").expect("planned");
        lab.save().expect("saved");
        lab.up().expect("up");
        let spawn = |node: &Node| lab.command(node, "sh").expect("on").args(["-c", "sleep 60 & exec sleep 60"]).spawn().expect("sh runs");
        let (mut first, mut second) = (spawn(&lab.nodes[0]), spawn(&lab.nodes[1]));
        run::wait_for("processes", Duration::from_secs(10), || lab.nodes.iter().all(|n| lab.processes(n).len() == 2).then_some(()))
            .expect("they run");
        std::fs::write(lab.nodes[0].root.join("run/guest"), "").expect("written");
        std::fs::write(lab.nodes[0].data_dir().join("state"), "").expect("written");
        lab.off(&lab.nodes[0]).expect("off");
        first.wait().expect("ended");
        assert!(!lab.is_on(&lab.nodes[0]) && lab.is_on(&lab.nodes[1]));
        assert_eq!(lab.processes(&lab.nodes[1]).len(), 2, "the other node is untouched");
        lab.on(&lab.nodes[0]).expect("on");
        assert!(!lab.nodes[0].root.join("run/guest").exists() && lab.nodes[0].data_dir().join("state").exists());
        lab.down().expect("down");
        second.wait().expect("ended");
        assert!(!dir.path().exists(), "the directory is left");
    }

    #[test]
    fn hosts_names_nodes_cluster_and_guests() {
        let lab = Lab::plan(std::path::Path::new("/x"), Kind::Fake, 2, "demo.gannet.example").expect("planned");
        let hosts = hosts(&lab);
        for name in ["cluster", "node1", "node2", "instance1", "instance50"] {
            assert!(hosts.lines().any(|line| line.ends_with(&format!(" {name}.demo.gannet.example {name}"))), "{name}: {hosts}");
        }
    }
}
