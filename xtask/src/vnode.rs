//! Real virtual nodes: each is a set of namespaces (net, mount, uts, ipc, pid) with its own pid 1, libvirtd, `/run`,
//! configuration, data and log directories.
//!
//! ```text
//!   host ── gdXXXXXX ══ host ┐
//!                            br0   switch: a network namespace of its own
//!                 v1 ──┬─────┴─────┬── v2
//!                eth0 ═╡           ╞═ eth0
//!        node1:  br0 (address, guests' taps)   node2: br0 …
//! ```
//!
//! Pid 1 is `xtask _init`: it makes the private mounts, then only reaps (libvirt waits for its guests by `kill(pid, 0)`).
//! Ending pid 1 with kill -9 ends all of the node, mounts and interfaces included: that is "power off".

pub mod bare;
pub mod init;
pub mod libvirtd;
pub mod network;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::lab::{Lab, Node, files};
use crate::process::{self, Identity};
use crate::{fake, run};
use init::{Bind, Spec};

/// What a node has for itself: path in the node, without the leading slash.
const PRIVATE: &[&str] = &[
    "run",
    "var/lib/ganeti",
    "etc/ganeti",
    "var/log/ganeti",
    "srv/ganeti",
    "etc/libvirt",
    "var/lib/libvirt",
    "var/cache/libvirt",
    "var/log/libvirt",
];
/// Where the shared directory of all nodes appears.
const SHARED_AT: &str = "/srv/ganeti/shared-file-storage";
/// Bringing up namespaces takes milliseconds; this is for a machine that is swapping.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Pid 1 of a node that is on.
pub fn anchor(node: &Node) -> Option<Identity> {
    running(&node.meta)
}

pub fn is_on(node: &Node) -> bool {
    anchor(node).is_some()
}

fn running(meta: &Path) -> Option<Identity> {
    Identity::read(&meta.join("init.pid")).filter(Identity::is_running)
}

/// A command that starts its arguments inside a node.
///
/// # Errors
/// The node is off.
pub fn enter(node: &Node) -> Result<Command> {
    let anchor = anchor(node).with_context(|| format!("{} is off; `cargo xtask demo on {}` starts it", node.name, node.short()))?;
    let mut command = Command::new("nsenter");
    command.args(["-t", &anchor.pid.to_string(), "-n", "-m", "-u", "-i", "-p", "--"]);
    Ok(command)
}

/// Starts the switch and all nodes that are off.
pub fn up(lab: &Lab) -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("real nodes need root; run this as root, or use --fake");
    }
    if running(&network::switch_meta(lab)).is_none() {
        network::start_switch(lab)?;
    }
    lab.nodes.iter().filter(|node| !is_on(node)).try_for_each(|node| power_on(lab, node))
}

pub fn power_on(lab: &Lab, node: &Node) -> Result<()> {
    if is_on(node) {
        bail!("{} is on already", node.name);
    }
    prepare(lab, node)?;
    libvirtd::configure(lab, node)?;
    start_init(lab, &node.meta, &node.root, &spec(lab, node))?;
    network::connect(lab, node)?;
    libvirtd::start(lab, node)
}

/// The uplink goes first, or the dying node's sockets would say goodbye politely.
pub fn power_off(lab: &Lab, node: &Node) -> Result<()> {
    if is_on(node) {
        network::set_link(lab, node, false)?;
    }
    end_init(&node.meta, &node.root)
}

pub fn down(lab: &Lab) -> Result<()> {
    for node in &lab.nodes {
        end_init(&node.meta, &node.root)?;
    }
    end_init(&network::switch_meta(lab), &network::switch_mark(lab))?;
    // The kernel takes interfaces of a dead namespace away a little later.
    let _ = run::wait_for("the interface to go", Duration::from_secs(10), || leftovers(lab).is_empty().then_some(()));
    Ok(())
}

/// Interfaces of this lab that the host still has.
pub fn leftovers(lab: &Lab) -> Vec<String> {
    let name = network::host_interface(lab);
    if Path::new("/sys/class/net").join(&name).exists() { vec![format!("interface {name}")] } else { Vec::new() }
}

/// The node's private tree. `/run` is new after each power-on, the rest stays, as on a real machine.
fn prepare(lab: &Lab, node: &Node) -> Result<()> {
    files::remove_tree(&node.root.join("run"))?;
    for dir in PRIVATE {
        files::create_dir(&node.root.join(dir))?;
        mount_point(&Path::new("/").join(dir))?;
    }
    files::create_dir(&node.root.join("run/lock"))?;
    files::create_dir(&node.root.join("srv/ganeti/shared-file-storage"))?;
    files::write(&node.root.join("etc/hosts"), &fake::hosts(lab), 0o644)?;
    // No name server is reachable from a node: without this, each unknown name would cost seconds.
    files::write(&node.root.join("etc/resolv.conf"), "# no name server in this lab\n", 0o644)?;
    files::write(&node.root.join("etc/hostname"), &format!("{}\n", node.short()), 0o644)?;
    files::write(&node.root.join("etc/ganeti/file-storage-paths"), fake::STORAGE_PATHS, 0o644)
}

/// A directory of the host must exist to be mounted over. It stays empty and stays there: removing it would take the
/// mounts of other labs with it.
fn mount_point(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .with_context(|| format!("cannot create the mount point {}", path.display()))
}

fn spec(lab: &Lab, node: &Node) -> Spec {
    let mut binds: Vec<Bind> = Vec::new();
    for file in ["etc/hosts", "etc/resolv.conf", "etc/hostname"] {
        let target = Path::new("/").join(file);
        // A link (systemd-resolved) leads into the host's /run, which the node does not see: nothing to cover then.
        if target.is_file() {
            binds.push(Bind { source: node.root.join(file), target });
        }
    }
    // /run comes after the files, since one of them may be a link into the host's /run.
    binds.extend(PRIVATE.iter().map(|dir| Bind { source: node.root.join(dir), target: Path::new("/").join(dir) }));
    binds.push(Bind { source: lab.shared(), target: PathBuf::from(SHARED_AT) });
    Spec { meta: node.meta.clone(), host_name: node.short().to_owned(), binds, hide_kvm: true }
}

/// Starts pid 1 of new namespaces and waits until its mounts are made.
fn start_init(lab: &Lab, meta: &Path, mark: &Path, spec: &Spec) -> Result<()> {
    files::create_dir(meta)?;
    for name in ["init.pid", "ready"] {
        files::remove_file(&meta.join(name))?;
    }
    files::write(&meta.join("spec.json"), &serde_json::to_string_pretty(spec)?, 0o600)?;
    let log_path = meta.join("init.log");
    let log =
        OpenOptions::new().create(true).append(true).open(&log_path).with_context(|| format!("cannot open {}", log_path.display()))?;
    let spawning = crate::interrupt::spawning();
    let mut child = Command::new("setsid")
        .args(["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--propagation", "private", "--"])
        .arg(lab.bin().join("xtask"))
        .arg("_init")
        .arg(meta.join("spec.json"))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env(process::MARK, mark)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot run `setsid unshare` (package util-linux)")?;
    drop(spawning);
    let started = run::wait_for("the start of a node", START_LIMIT, || {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(Err(run::status_text(status)));
        }
        meta.join("ready").exists().then_some(Ok(()))
    });
    match started {
        Ok(Ok(())) => Ok(()),
        Ok(Err(status)) => bail!("namespaces could not be made ({status}): {}", last_line(&log_path)),
        Err(error) => Err(error.context(format!("see {}", log_path.display()))),
    }
}

fn end_init(meta: &Path, mark: &Path) -> Result<()> {
    if let Some(anchor) = running(meta) {
        anchor.kill();
    }
    run::wait_for("a node that does not end", Duration::from_secs(20), || {
        let found = process::marked(mark);
        found.iter().for_each(Identity::kill);
        found.is_empty().then_some(())
    })?;
    for name in ["init.pid", "ready"] {
        files::remove_file(&meta.join(name))?;
    }
    Ok(())
}

fn last_line(path: &Path) -> String {
    fs::read_to_string(path)
        .ok()
        .and_then(|t| t.lines().rev().find(|l| !l.trim().is_empty()).map(str::to_owned))
        .unwrap_or_else(|| "no output".to_owned())
}
