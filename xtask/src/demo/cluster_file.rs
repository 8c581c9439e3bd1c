//! `cluster.json`: what tests, benchmarks and other people's tools need to know about a running demo cluster.

use std::fs;
use std::io::Read;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::lab::{Kind, Lab, Node, files};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClusterFile {
    /// `real` or `fake`.
    pub kind: Kind,
    pub name: String,
    /// Address of the cluster, held by the master.
    pub ip: Ipv4Addr,
    /// Name of the node that was made master.
    pub master: String,
    pub nodes: Vec<NodeEntry>,
    pub rapi: Rapi,
    /// The programs, and `gnt-*` links.
    pub bin_dir: PathBuf,
}

/// A node. All paths are as seen from outside of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NodeEntry {
    pub name: String,
    pub ip: Ipv4Addr,
    /// The node's private tree: the value of GANETI_ROOTDIR for programs that are to act on a fake node.
    pub root: PathBuf,
    pub data_dir: PathBuf,
    pub run_dir: PathBuf,
    pub log_dir: PathBuf,
    pub luxi_socket: PathBuf,
    /// libvirt's address (real nodes only).
    pub libvirt_uri: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rapi {
    pub url: String,
    pub user: String,
    pub password: String,
}

impl ClusterFile {
    pub fn of(lab: &Lab, rapi: Rapi) -> Self {
        Self {
            kind: lab.kind,
            name: lab.cluster_name.clone(),
            ip: lab.cluster_ip(),
            master: lab.first().name.clone(),
            nodes: lab.nodes.iter().map(|node| NodeEntry::of(lab, node)).collect(),
            rapi,
            bin_dir: lab.bin(),
        }
    }

    /// Written for the owner only: it holds a password.
    pub fn write(&self, dir: &Path) -> Result<()> {
        files::write_atomically(&dir.join("cluster.json"), &serde_json::to_vec_pretty(self)?, 0o600)
    }

    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("cluster.json");
        let bytes = fs::read(&path).with_context(|| format!("no cluster runs in {}; `cargo xtask demo` starts one", dir.display()))?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged; `cargo xtask demo stop`, then start anew", path.display()))
    }
}

impl NodeEntry {
    fn of(lab: &Lab, node: &Node) -> Self {
        Self {
            name: node.name.clone(),
            ip: node.ip,
            root: node.root.clone(),
            data_dir: node.data_dir(),
            run_dir: node.root.join("run/ganeti"),
            log_dir: node.log_dir(),
            luxi_socket: node.luxi_socket(),
            libvirt_uri: (lab.kind == Kind::Real).then(|| crate::vnode::libvirtd::uri(node)),
        }
    }
}

impl Rapi {
    /// A user with a new password.
    pub fn new(lab: &Lab) -> Result<Self> {
        let mut random = [0_u8; 16];
        fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut random)).context("no random numbers from /dev/urandom")?;
        let password = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { url: format!("https://{}:5080", lab.rapi_ip()), user: "demo".to_owned(), password })
    }

    /// The line of the users file.
    pub fn users_line(&self) -> String {
        format!("{} {} write\n", self.user, self.password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_says_what_tools_need() {
        let dir = tempfile::tempdir().expect("a directory");
        let lab = Lab::plan(dir.path(), Kind::Fake, 2, "demo.gannet.example").expect("planned");
        ClusterFile::of(&lab, Rapi::new(&lab).expect("random")).write(dir.path()).expect("written");
        let json: serde_json::Value = serde_json::from_slice(&fs::read(dir.path().join("cluster.json")).expect("there")).expect("JSON");
        assert_eq!(json["kind"], "fake");
        assert_eq!(json["master"], "node1.demo.gannet.example");
        assert_eq!(json["nodes"][1]["name"], "node2.demo.gannet.example");
        assert!(json["nodes"][1]["luxi_socket"].as_str().is_some_and(|s| s.ends_with("node2/run/ganeti/socket/ganeti-query")));
        assert_eq!(json["rapi"]["password"].as_str().map(str::len), Some(32));
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(dir.path().join("cluster.json")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
