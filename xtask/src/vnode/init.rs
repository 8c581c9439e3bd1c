//! Pid 1 of a virtual node: makes the private mounts, then reaps orphans until it is killed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, sethostname};
use serde::{Deserialize, Serialize};

use crate::process::Identity;

/// One private file or directory.
#[derive(Debug, Serialize, Deserialize)]
pub struct Bind {
    pub source: PathBuf,
    pub target: PathBuf,
}

/// What pid 1 is to set up.
#[derive(Debug, Serialize, Deserialize)]
pub struct Spec {
    /// Where it says that it is ready.
    pub meta: PathBuf,
    pub host_name: String,
    pub binds: Vec<Bind>,
    /// Makes /dev/kvm unusable: a device that exists and does not serve guests costs seconds per start.
    pub hide_kvm: bool,
}

/// Runs as pid 1. Returns only with an error.
pub fn run(spec: &Path) -> Result<()> {
    let spec: Spec = serde_json::from_slice(&fs::read(spec).with_context(|| format!("cannot read {}", spec.display()))?)?;
    // Before anything else: SIGCHLD must be held for the loop below, not lost.
    let mut wanted = SigSet::empty();
    wanted.add(Signal::SIGCHLD);
    wanted.thread_block().context("cannot block SIGCHLD")?;
    record(&spec)?;
    sethostname(&spec.host_name).context("cannot set the host name")?;
    set_up_mounts(&spec)?;
    std::env::set_current_dir("/")?;
    fs::write(spec.meta.join("ready"), "")?;
    loop {
        reap();
        // A signal that came meanwhile is pending and ends the wait at once.
        let _ = wanted.wait();
    }
}

/// /proc is still the host's here, so this is the pid that the host knows us by.
fn record(spec: &Spec) -> Result<()> {
    let link = fs::read_link("/proc/self").context("cannot read /proc/self")?;
    let pid = link.to_str().and_then(|pid| pid.parse().ok()).context("/proc/self is no number")?;
    let identity = Identity::of(pid).context("cannot find ourselves in /proc")?;
    identity.write(&spec.meta.join("init.pid")).context("cannot record the pid")
}

fn set_up_mounts(spec: &Spec) -> Result<()> {
    special("proc", "/proc")?;
    special("sysfs", "/sys")?;
    // An empty /sys/fs/cgroup: libvirt then leaves control groups alone.
    special("tmpfs", "/sys/fs/cgroup")?;
    if spec.hide_kvm && Path::new("/dev/kvm").exists() {
        // A regular file on a read-only mount fails access(W_OK) even for root. /dev/null would look like a KVM that QEMU
        // cannot use, and libvirt would probe the emulator again (7 s) at every define and start.
        let file = spec.meta.join("nokvm");
        fs::write(&file, "")?;
        bind(&file, Path::new("/dev/kvm"))?;
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(None::<&str>, "/dev/kvm", None::<&str>, flags, None::<&str>).context("cannot make /dev/kvm read-only")?;
    }
    spec.binds.iter().try_for_each(|b| bind(&b.source, &b.target))
}

fn special(kind: &str, at: &str) -> Result<()> {
    mount(Some(kind), at, Some(kind), MsFlags::empty(), None::<&str>).with_context(|| format!("cannot mount {kind} on {at}"))
}

fn bind(source: &Path, target: &Path) -> Result<()> {
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .with_context(|| format!("cannot mount {} on {}", source.display(), target.display()))
}

fn reap() {
    loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return,
            Ok(_) | Err(_) => {}
        }
    }
}
