//! A lab: some nodes on this machine, real (namespaces, see [`crate::vnode`]) or fake (directories, see [`crate::fake`]).
//!
//! ```text
//! DIR/lab.json        this record, written before anything is started, so that `stop` always knows what to look for
//! DIR/cluster.json    what users of the cluster read (written by the demo)
//! BASE/               DIR itself, or a short path below /tmp when DIR is too long for unix sockets
//! BASE/bin/           the programs, and gnt-* links to gnt
//! BASE/node1/         the node's private tree: run, etc/ganeti, var/lib/ganeti, var/log/ganeti, srv/ganeti, …
//! BASE/meta/node1/    what xtask keeps about it: pid 1, its log
//! BASE/shared/        the shared file storage of all nodes
//! ```

pub mod address;
pub mod files;

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{fake, process, repo, vnode};
use address::Prefix;

/// Nodes that one lab may have: addresses .1 to .99, the rest is for the cluster, guests and the host.
pub const MAX_NODES: u8 = 99;
/// `sun_path` holds 107 bytes and an end; the longest socket below a node's root takes some 40 of them.
const MAX_BASE: usize = 55;
/// The search path inside a node, after the lab's own programs.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Namespaces, a bridge, libvirtd and QEMU: needs root.
    Real,
    /// Directories and loopback addresses, hypervisor `fake`: needs nothing.
    Fake,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Node {
    /// 1 is the first master.
    pub index: u8,
    /// Fully qualified.
    pub name: String,
    pub ip: Ipv4Addr,
    /// The private tree, as seen from outside.
    pub root: PathBuf,
    /// What xtask keeps about it.
    pub meta: PathBuf,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lab {
    pub kind: Kind,
    pub dir: PathBuf,
    pub base: PathBuf,
    pub prefix: Prefix,
    /// Fully qualified name of the cluster.
    pub cluster_name: String,
    pub nodes: Vec<Node>,
}

impl Node {
    /// Host name without the domain.
    pub fn short(&self) -> &str {
        self.name.split('.').next().unwrap_or(&self.name)
    }

    pub fn data_dir(&self) -> PathBuf {
        self.root.join("var/lib/ganeti")
    }

    pub fn log_dir(&self) -> PathBuf {
        self.root.join("var/log/ganeti")
    }

    pub fn luxi_socket(&self) -> PathBuf {
        self.root.join("run/ganeti/socket/ganeti-query")
    }
}

impl Lab {
    /// Describes a lab; nothing is started or written.
    ///
    /// # Errors
    /// Too many nodes, or no free address range.
    pub fn plan(dir: &Path, kind: Kind, nodes: u8, domain: &str) -> Result<Self> {
        if nodes == 0 || nodes > MAX_NODES {
            bail!("a lab has 1 to {MAX_NODES} nodes, not {nodes}");
        }
        let dir = std::path::absolute(dir).with_context(|| format!("cannot use the directory {}", dir.display()))?;
        let hash = repo::stable_hash(dir.as_os_str().as_encoded_bytes());
        let base = if dir.as_os_str().len() <= MAX_BASE {
            dir.clone()
        } else {
            PathBuf::from(format!("/tmp/gannet-demo-{}-{hash:016x}", nix::unistd::geteuid()))
        };
        let prefix = match kind {
            Kind::Real => address::free_private(hash)?,
            Kind::Fake => address::free_loopback(hash)?,
        };
        let nodes = (1..=nodes)
            .map(|index| Node {
                index,
                name: format!("node{index}.{domain}"),
                ip: prefix.address(index),
                root: base.join(format!("node{index}")),
                meta: base.join(format!("meta/node{index}")),
            })
            .collect();
        Ok(Self { kind, dir, base, prefix, cluster_name: format!("cluster.{domain}"), nodes })
    }

    /// The lab recorded in a directory, if there is one.
    pub fn load(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join("lab.json");
        match fs::read(&path) {
            Ok(bytes) => {
                Ok(Some(serde_json::from_slice(&bytes).with_context(|| {
                    format!("{} is damaged; end what runs below {} by hand and remove it", path.display(), dir.display())
                })?))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes the record and the directories. Called before the first process is started.
    pub fn save(&self) -> Result<()> {
        for dir in [&self.dir, &self.base, &self.bin(), &self.shared()] {
            fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        }
        files::write_atomically(&self.dir.join("lab.json"), &serde_json::to_vec_pretty(self)?, 0o600)
    }

    pub fn bin(&self) -> PathBuf {
        self.base.join("bin")
    }

    /// Directory of the shared file storage.
    pub fn shared(&self) -> PathBuf {
        self.base.join("shared")
    }

    /// Address of the cluster (the master brings it up).
    pub fn cluster_ip(&self) -> Ipv4Addr {
        self.prefix.address(200)
    }

    /// Where RAPI answers. Daemons of a fake node listen on that node's address only, since all nodes share the ports of
    /// one machine; a real node listens on the cluster's address, too.
    #[must_use]
    pub fn rapi_ip(&self) -> Ipv4Addr {
        match self.kind {
            Kind::Real => self.cluster_ip(),
            Kind::Fake => self.prefix.address(1),
        }
    }

    /// A node by its full or short name, or its number.
    ///
    /// # Errors
    /// No such node; the message lists those that exist.
    pub fn node(&self, name: &str) -> Result<&Node> {
        self.nodes.iter().find(|node| node.name == name || node.short() == name || node.index.to_string() == name).with_context(|| {
            let names: Vec<_> = self.nodes.iter().map(Node::short).collect();
            format!("there is no node {name} in this lab, only {}", names.join(", "))
        })
    }

    pub fn first(&self) -> &Node {
        &self.nodes[0]
    }

    /// A program inside a node, with the environment that a login there would have.
    ///
    /// # Errors
    /// The node is off (real nodes only).
    pub fn command(&self, node: &Node, program: &str) -> Result<Command> {
        let mut command = match self.kind {
            Kind::Real => vnode::enter(node)?,
            Kind::Fake => Command::new("env"),
        };
        command.arg(program);
        self.set_environment(&mut command, node);
        Ok(command)
    }

    fn set_environment(&self, command: &mut Command, node: &Node) {
        let kept: Vec<_> = ["TERM", "COLUMNS", "LINES", "RUST_LOG", "RUST_BACKTRACE", "NO_COLOR"]
            .into_iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)))
            .collect();
        command.env_clear().envs(kept);
        command.env("PATH", format!("{}:{SYSTEM_PATH}", self.bin().display()));
        command.env("LANG", "C.UTF-8").env(process::MARK, &node.root);
        command.env("HOME", std::env::var_os("HOME").unwrap_or_else(|| "/root".into()));
        if self.kind == Kind::Fake {
            command.env("GANETI_ROOTDIR", &node.root).env("GANETI_HOSTNAME", &node.name);
        }
    }

    /// Whether the node has power.
    pub fn is_on(&self, node: &Node) -> bool {
        match self.kind {
            Kind::Real => vnode::is_on(node),
            Kind::Fake => fake::is_on(node),
        }
    }

    /// Starts the nodes (all of them, or those that are off). No Gannet daemon runs after this.
    pub fn up(&self) -> Result<()> {
        match self.kind {
            Kind::Real => vnode::up(self),
            Kind::Fake => fake::up(self),
        }
    }

    /// Power on.
    pub fn on(&self, node: &Node) -> Result<()> {
        match self.kind {
            Kind::Real => vnode::power_on(self, node),
            Kind::Fake => fake::power_on(self, node),
        }
    }

    /// Power loss: everything on the node ends at once, its network first.
    pub fn off(&self, node: &Node) -> Result<()> {
        match self.kind {
            Kind::Real => vnode::power_off(self, node),
            Kind::Fake => fake::power_off(node),
        }
    }

    /// Unplugs the node's network cable.
    ///
    /// # Errors
    /// Fake nodes share the loopback interface and cannot be cut off.
    pub fn set_link(&self, node: &Node, up: bool) -> Result<()> {
        match self.kind {
            Kind::Real => vnode::network::set_link(self, node, up),
            Kind::Fake => {
                bail!("fake nodes share the loopback interface and cannot be cut off; `freeze` is the nearest thing, or use a real lab")
            }
        }
    }

    /// Stops (SIGSTOP) or continues all processes of a node: it keeps its connections and answers nothing.
    pub fn set_frozen(&self, node: &Node, frozen: bool) -> Result<()> {
        use nix::sys::signal::Signal::{SIGCONT, SIGSTOP};
        if !self.is_on(node) {
            bail!("{} is off", node.name);
        }
        // Twice: the first round may have missed what was just being started.
        for _ in 0..2 {
            for process in self.processes(node) {
                process.signal(if frozen { SIGSTOP } else { SIGCONT });
            }
        }
        Ok(())
    }

    /// Everything that runs on the node.
    pub fn processes(&self, node: &Node) -> Vec<process::Identity> {
        match self.kind {
            Kind::Real => vnode::anchor(node).map(|anchor| process::in_namespace_of(anchor.pid)).unwrap_or_default(),
            Kind::Fake => process::marked(&node.root),
        }
    }

    /// Ends everything, checks that nothing is left, and removes the state.
    ///
    /// # Errors
    /// Something is left; the message names it.
    pub fn down(&self) -> Result<()> {
        match self.kind {
            Kind::Real => vnode::down(self)?,
            Kind::Fake => fake::down(self)?,
        }
        let left = self.leftovers();
        if !left.is_empty() {
            bail!("not everything could be ended; still there: {}", left.join(", "));
        }
        for path in self.nodes.iter().flat_map(|node| [node.root.clone(), node.meta.clone()]) {
            files::remove_tree(&path)?;
        }
        for name in ["meta", "shared", "bin"] {
            files::remove_tree(&self.base.join(name))?;
        }
        for name in ["cluster.json", "lab.json"] {
            files::remove_file(&self.dir.join(name))?;
        }
        for dir in [&self.base, &self.dir] {
            // Only when nothing of somebody else is in there.
            let _ = fs::remove_dir(dir);
        }
        Ok(())
    }

    /// What of this lab still exists on the machine: processes, interfaces, mounts.
    pub fn leftovers(&self) -> Vec<String> {
        let mut left: Vec<String> = process::marked(&self.base).iter().map(|p| format!("process {}", p.describe())).collect();
        if self.kind == Kind::Real {
            left.extend(vnode::leftovers(self));
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let base = self.base.display().to_string();
        left.extend(mounts.lines().filter(|l| l.contains(&format!("{base}/"))).map(|line| format!("mount {line}")));
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_directories_get_a_short_base() {
        let long = PathBuf::from(format!("/{}/demo", "d".repeat(120)));
        let lab = Lab::plan(&long, Kind::Fake, 3, "demo.gannet.example").expect("planned");
        assert!(lab.base.starts_with("/tmp"), "{}", lab.base.display());
        assert!(lab.nodes.iter().all(|node| node.luxi_socket().as_os_str().len() <= 107));
        let other = Lab::plan(&long.join("x"), Kind::Fake, 3, "demo.gannet.example").expect("planned");
        assert_ne!(lab.base, other.base);
    }

    #[test]
    fn nodes_are_found_by_every_name() {
        let lab = Lab::plan(Path::new("/x"), Kind::Fake, 2, "demo.gannet.example").expect("planned");
        for name in ["2", "node2", "node2.demo.gannet.example"] {
            assert_eq!(lab.node(name).expect("found").index, 2, "{name}");
        }
        let error = lab.node("node3").expect_err("not there").to_string();
        assert!(error.contains("node1, node2"), "{error}");
    }
}
