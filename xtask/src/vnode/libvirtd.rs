//! The libvirt daemon of a node: its configuration and its start. It listens on a unix socket only.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::lab::{Lab, Node, files};
use crate::run;

/// A cold capability cache makes libvirtd ask QEMU, up to some 10 s on a loaded machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Writes libvirtd.conf and qemu.conf, and takes the first node's capability cache over.
pub(super) fn configure(lab: &Lab, node: &Node) -> Result<()> {
    let uuid_file = node.meta.join("uuid");
    if !uuid_file.exists() {
        let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid").context("cannot get a uuid from the kernel")?;
        files::write(&uuid_file, uuid.trim(), 0o644)?;
    }
    let uuid = fs::read_to_string(&uuid_file)?;
    files::write(&node.root.join("etc/libvirt/libvirtd.conf"), &libvirtd_conf(&uuid), 0o644)?;
    files::write(&node.root.join("etc/libvirt/qemu.conf"), &qemu_conf(node), 0o644)?;
    files::create_dir(&node.root.join("etc/libvirt/qemu"))?;
    let (from, to) = (cache(lab.first()), cache(node));
    if node.index != 1 && from.is_dir() && !to.exists() {
        copy_tree(&from, &to)?;
    }
    Ok(())
}

/// Starts libvirtd. When it has never run on the first node, waits until it has learned what QEMU can do: the other nodes copy that.
pub(super) fn start(lab: &Lab, node: &Node) -> Result<()> {
    let is_cold = !cache(node).is_dir();
    let mut command = lab.command(node, "libvirtd")?;
    command.args(["--daemon", "--pid-file", "/run/libvirtd.pid"]);
    run::text(&mut command, LIMIT).with_context(|| format!("libvirtd does not start on {}", node.name))?;
    let socket = socket(node);
    run::wait_for(&format!("libvirtd of {}", node.name), LIMIT, || socket.exists().then_some(()))?;
    if is_cold {
        let probe = ["domcapabilities", "--virttype", "qemu"];
        run::text(&mut virsh(node, &probe), LIMIT).with_context(|| format!("libvirt on {} does not get answers from QEMU", node.name))?;
    }
    Ok(())
}

/// `virsh` on a node, from outside.
pub fn virsh(node: &Node, arguments: &[&str]) -> Command {
    let mut command = Command::new("virsh");
    command.args(["-q", "-c", &uri(node)]).args(arguments);
    command
}

/// Where a node's libvirt can be reached from outside its namespaces.
pub fn uri(node: &Node) -> String {
    format!("qemu+unix:///system?socket={}", socket(node).display())
}

fn socket(node: &Node) -> std::path::PathBuf {
    node.root.join("run/libvirt/libvirt-sock")
}

fn cache(node: &Node) -> std::path::PathBuf {
    node.root.join("var/cache/libvirt/qemu")
}

fn libvirtd_conf(uuid: &str) -> String {
    // No polkit in a node (auth_unix_rw). Keep-alive bounds how long a dead peer is waited for.
    format!(
        "host_uuid = \"{uuid}\"\nlisten_tls = 0\nlisten_tcp = 0\nauth_unix_ro = \"none\"\nauth_unix_rw = \"none\"\n\
         keepalive_interval = 2\nkeepalive_count = 3\nlog_outputs = \"2:file:/var/log/libvirt/libvirtd.log\"\n"
    )
}

fn qemu_conf(node: &Node) -> String {
    let ip = node.ip;
    // Without control groups, device namespaces, security drivers and virtlogd: a node has none of these.
    format!(
        "user = \"root\"\ngroup = \"root\"\ndynamic_ownership = 0\nremember_owner = 0\nsecurity_driver = \"none\"\n\
         cgroup_controllers = [ ]\nnamespaces = [ ]\nseccomp_sandbox = 0\nclear_emulator_capabilities = 0\nstdio_handler = \"file\"\n\
         vnc_listen = \"{ip}\"\nmigration_address = \"{ip}\"\nmigration_host = \"{ip}\"\nkeepalive_interval = 2\nkeepalive_count = 3\n"
    )
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    files::create_dir(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(|| format!("cannot copy {}", entry.path().display()))?;
        }
    }
    Ok(())
}
