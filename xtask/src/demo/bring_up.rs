//! From nothing to a running cluster: packages, programs, nodes, `gnt-cluster init`, `gnt-node add`.

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::cluster_file::{ClusterFile, Rapi};
use super::gnt::{self, Cluster};
use super::{Options, install, os_tiny, seconds};
use crate::build::{self, Profile};
use crate::lab::{Kind, Lab, Node, files};
use crate::packages::{self, Group};
use crate::{interrupt, run, say};

/// Ganeti's own bounds start at 128 MiB of memory and 1 GiB of disk, far more than a boot sector needs.
const BOUNDS: &str = "min:cpu-count=1,disk-count=0,disk-size=1,memory-size=8,nic-count=0,spindle-use=1\
                      /max:cpu-count=8,disk-count=16,disk-size=1048576,memory-size=32768,nic-count=8,spindle-use=12";
const RAPI_PORT: u16 = 5080;

/// Brings a cluster up, ending an earlier one in the same directory.
///
/// # Errors
/// The first step that failed. What was started stays for a look and for `demo stop`.
pub fn run(options: &Options) -> Result<Cluster> {
    let kind = options.kind();
    if kind == Kind::Fake && !options.fake {
        say::line("Not root: the nodes are directories and the hypervisor is fake. As root, real guests run.");
    }
    packages::ensure(needed(options, kind))?;
    let programs = programs(options)?;
    let dir = options.dir()?;
    if let Some(earlier) = Lab::load(&dir)? {
        say::line(format!("Ending the cluster of an earlier run in {}.", dir.display()));
        earlier.down()?;
    }
    let lab = Lab::plan(&dir, kind, options.nodes, &options.domain)?;
    lab.save()?;
    interrupt::ends(&lab)?;
    install::programs(&lab, &programs)?;
    install::own_program(&lab)?;
    let took = seconds(|| lab.up())?;
    let what = if kind == Kind::Real { "namespaces, bridge, libvirtd each" } else { "directories, loopback addresses" };
    say::heading(format!("{} nodes ({what}) in {took:.1} s", lab.nodes.len()));
    for node in &lab.nodes {
        os_tiny::install(node, kind == Kind::Real)?;
    }
    let rapi = Rapi::new(&lab)?;
    init(&lab, &rapi, options.candidates)?;
    for node in &lab.nodes[1..] {
        add_node(&lab, node)?;
    }
    let file = ClusterFile::of(&lab, rapi);
    file.write(&dir)?;
    Ok(Cluster { lab, file })
}

fn needed(options: &Options, kind: Kind) -> &'static [Group] {
    match (kind, options.bin_dir.is_some()) {
        (Kind::Real, true) => &[Group::Real],
        (Kind::Real, false) => &[Group::Build, Group::Real],
        (Kind::Fake, true) => &[],
        (Kind::Fake, false) => &[Group::Build],
    }
}

fn programs(options: &Options) -> Result<PathBuf> {
    match &options.bin_dir {
        Some(dir) => {
            let dir = std::path::absolute(dir)?;
            build::require(&dir)?;
            Ok(dir)
        }
        None => build::programs(if options.debug { Profile::Dev } else { Profile::Release }),
    }
}

/// Makes the first node a cluster of one.
fn init(lab: &Lab, rapi: &Rapi, candidates: Option<u8>) -> Result<()> {
    let master = lab.first();
    say::heading(format!("Cluster {} on {}", lab.cluster_name, master.name));
    files::write(&master.data_dir().join("rapi/users"), &rapi.users_line(), 0o600)?;
    let (hypervisor, netdev) = match lab.kind {
        // A boot sector needs no kernel, and 16 MiB are plenty.
        Kind::Real => ("kvm -H kvm:kernel_path=,initrd_path=,serial_console=true", "br0"),
        Kind::Fake => ("fake", "lo"),
    };
    let pool = candidates.map(|count| format!("--candidate-pool-size={count} ")).unwrap_or_default();
    let line = format!(
        "gnt-cluster init --enabled-hypervisors={hypervisor} --enabled-disk-templates=file,sharedfile,diskless \
         --file-storage-dir=/srv/ganeti/file-storage --shared-file-storage-dir=/srv/ganeti/shared-file-storage \
         --nic-parameters=mode=bridged,link=br0 -B minmem=16,maxmem=16,vcpus=1 --ipolicy-bounds-specs={BOUNDS} --master-netdev={netdev} --master-netmask=32 --no-etc-hosts \
         --no-ssh-init {pool}{}",
        lab.cluster_name
    );
    gnt::shown(lab, master, &line, |_| Ok(()))?;
    let rapi_at = SocketAddr::from((lab.rapi_ip(), RAPI_PORT));
    run::wait_for(&format!("RAPI on {rapi_at}"), Duration::from_secs(20), || {
        TcpStream::connect_timeout(&rapi_at, Duration::from_secs(1)).ok()
    })
    .with_context(|| format!("the RAPI daemon does not answer; its log is in {}", master.log_dir().display()))?;
    Ok(())
}

/// Joins a node: the master gives a token, the node runs one command with it.
fn add_node(lab: &Lab, node: &Node) -> Result<()> {
    let mut joined = false;
    gnt::shown(lab, lab.first(), &format!("gnt-node add {}", node.name), |line| {
        let Some(token) = join_token(line).filter(|_| !joined) else { return Ok(()) };
        joined = true;
        gnt::shown(lab, node, &format!("gannet-noded join {token}"), |_| Ok(())).map(drop)
    })?;
    if !joined {
        bail!("`gnt-node add` printed no `gannet-noded join` line for {}", node.name);
    }
    Ok(())
}

/// The token in a line that tells what to run on the new node.
fn join_token(line: &str) -> Option<&str> {
    line.split_once("gannet-noded join ")?.1.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_in_the_line() {
        assert_eq!(join_token("  gannet-noded join abc.def  "), Some("abc.def"));
        assert_eq!(join_token("Run this on the node:"), None);
    }
}
