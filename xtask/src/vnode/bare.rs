//! A lab without Gannet, for work on the lab itself: nodes, libvirtd, and a guest straight from `virsh`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::demo::heartbeat::Monitor;
use crate::demo::{guest, install, seconds};
use crate::lab::{Kind, Lab, Node, files};
use crate::{packages, run, say, vnode};

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Start N nodes
    Up {
        #[arg(default_value_t = 3)]
        nodes: u8,
    },
    /// End them
    Down,
    /// Run a command on a node
    Exec {
        node: String,
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Power loss
    Off { node: String },
    /// Power on
    On { node: String },
    /// Start a guest by virsh, migrate it live under heartbeat watch, cut, freeze and kill nodes, end everything
    Smoke,
}

pub fn run(dir: &Path, action: Action) -> Result<()> {
    match action {
        Action::Up { nodes } => up(dir, nodes).map(drop),
        Action::Down => down(dir),
        Action::Exec { node, command } => {
            let lab = load(dir)?;
            let (program, arguments) = command.split_first().context("no command given")?;
            Err(run::become_program(lab.command(lab.node(&node)?, program)?.args(arguments)))
        }
        Action::Off { node } => load(dir).and_then(|lab| lab.off(lab.node(&node)?)),
        Action::On { node } => load(dir).and_then(|lab| lab.on(lab.node(&node)?)),
        Action::Smoke => smoke(dir),
    }
}

fn load(dir: &Path) -> Result<Lab> {
    Lab::load(&std::path::absolute(dir)?)?.with_context(|| format!("there is no lab in {}", dir.display()))
}

fn up(dir: &Path, nodes: u8) -> Result<Lab> {
    packages::ensure(&[packages::Group::Real])?;
    let lab = match Lab::load(&std::path::absolute(dir)?)? {
        Some(lab) => lab,
        None => Lab::plan(dir, Kind::Real, nodes, "vnode.gannet.example")?,
    };
    lab.save()?;
    install::own_program(&lab)?;
    lab.up()?;
    for node in &lab.nodes {
        println!("{} {} {}", node.name, node.ip, vnode::libvirtd::uri(node));
    }
    Ok(lab)
}

fn down(dir: &Path) -> Result<()> {
    let lab = load(dir)?;
    lab.down()?;
    say::line("No process, namespace, mount or interface of the lab is left.");
    Ok(())
}

fn smoke(dir: &Path) -> Result<()> {
    let lab = up(dir, 3)?;
    let result = smoke_steps(&lab);
    down(dir)?;
    result
}

fn smoke_steps(lab: &Lab) -> Result<()> {
    let [first, second, third] = [1, 2, 3].map(|index: u8| lab.node(&index.to_string()));
    let (first, second, third) = (first?, second?, third?);
    let disk = lab.shared().join("smoke.img");
    guest::write_disk(&disk)?;
    let xml = lab.base.join("meta/smoke.xml");
    files::write(&xml, &domain(), 0o644)?;
    let consoles = [first, second].map(|node| node.root.join("var/log/libvirt/smoke.console"));
    let monitor = Monitor::start(consoles.to_vec());
    let took = seconds(|| virsh(first, &["create", &xml.display().to_string()]))?;
    let ready = seconds(|| monitor.wait_for_beats(10, Duration::from_secs(30)))?;
    say::line(format!("  guest started in {took:.2} s, ten heartbeats after {ready:.2} s more"));
    let to = vnode::libvirtd::uri(second);
    let took = seconds(|| virsh(first, &["migrate", "--live", "--unsafe", "smoke", &to, &format!("tcp://{}", second.ip)]))?;
    monitor.wait_for_beats(10, Duration::from_secs(30))?;
    let verdict = monitor.stop().verdict()?;
    say::line(format!("  live migration in {took:.2} s: {verdict}"));
    ping(lab, first, third, true)?;
    lab.set_link(third, false)?;
    ping(lab, first, third, false)?;
    lab.set_link(third, true)?;
    ping(lab, first, third, true)?;
    say::line("  a cut node does not answer, a joined one does");
    lab.set_frozen(second, true)?;
    let mut asked = vnode::libvirtd::virsh(second, &["list"]);
    if run::output(&mut asked, Duration::from_secs(2)).is_ok() {
        bail!("a frozen node answered");
    }
    lab.set_frozen(second, false)?;
    run::text(&mut vnode::libvirtd::virsh(second, &["list"]), Duration::from_secs(30))?;
    say::line("  a frozen node does not answer, a thawed one does");
    let took = seconds(|| lab.off(second))?;
    ping(lab, first, second, false)?;
    let back = seconds(|| lab.on(second))?;
    ping(lab, first, second, true)?;
    say::line(format!("  power loss took {took:.2} s, power on {back:.2} s"));
    Ok(())
}

fn virsh(node: &Node, arguments: &[&str]) -> Result<()> {
    run::text(&mut vnode::libvirtd::virsh(node, arguments), Duration::from_secs(60)).map(drop)
}

/// Whether TCP reaches `to`: nothing listens on port 9, so a node that is there refuses at once.
fn ping(lab: &Lab, from: &Node, to: &Node, expected: bool) -> Result<()> {
    let script = format!("exec 3<>/dev/tcp/{}/9", to.ip);
    let mut command: Command = lab.command(from, "timeout")?;
    command.args(["3", "bash", "-c", &script]);
    let output = run::output(&mut command, Duration::from_secs(20))?;
    let there = String::from_utf8_lossy(&output.stderr).contains("refused");
    if there != expected {
        bail!("{} is {}reachable from {}", to.name, if there { "" } else { "not " }, from.name);
    }
    Ok(())
}

fn domain() -> String {
    "<domain type='qemu'><name>smoke</name><memory unit='MiB'>8</memory><vcpu>1</vcpu>\
     <os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/><apic/><tcg><tb-cache unit='MiB'>8</tb-cache></tcg></features>\
     <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>\
     <disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/>\
     <source file='/srv/ganeti/shared-file-storage/smoke.img'/><target dev='vda' bus='virtio'/></disk>\
     <controller type='usb' model='none'/><interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>\
     <serial type='pty'><log file='/var/log/libvirt/smoke.console' append='on'/><target port='0'/></serial>\
     <memballoon model='none'/></devices></domain>"
        .to_owned()
}
