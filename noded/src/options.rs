//! The command line of `gannet-noded`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use gannet_core::paths::{NODED_PORT, Paths};

use crate::{address, tls};

/// The node agent of Gannet.
#[derive(Debug, Parser)]
#[command(name = "gannet-noded", version)]
pub struct Options {
    /// Virtual root of the node; default: the environment variable GANETI_ROOTDIR
    #[arg(long, value_name = "DIR", global = true)]
    pub root: Option<PathBuf>,
    /// Write the log to standard error. The agent never detaches by itself: its starter (systemd, gnt daemon-util) does
    #[arg(short, long)]
    pub foreground: bool,
    /// Log more
    #[arg(short, long, global = true)]
    pub debug: bool,
    /// Address to listen on; default: the node's primary IP on a virtual node, else all addresses
    #[arg(short, long, value_name = "ADDR")]
    pub bind: Option<IpAddr>,
    /// Port to listen on
    #[arg(short, long, default_value_t = NODED_PORT)]
    pub port: u16,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What else the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make this machine a node of a cluster, with the token that `gnt-node add` printed
    Join {
        /// The token
        token: String,
        /// Also when this node belongs to a cluster already: its old certificates are replaced
        #[arg(long)]
        force: bool,
    },
    /// Keep the lease of this node: end instances with automatic failover in time when no master renews it. The agent starts this
    /// by itself where no service manager does
    LeaseKeeper,
}

/// Why the options do not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A virtual node whose address nobody told.
    #[error("the address of virtual node {node} is not known: put it into {hosts} or give --bind", hosts = hosts.display())]
    NoAddress { node: String, hosts: PathBuf },
    /// The system has no usable host name.
    #[error("the name of this node is not known: {0}; set GANETI_HOSTNAME")]
    NoName(String),
}

impl Options {
    /// The node's paths.
    #[must_use]
    pub fn paths(&self) -> Paths {
        Paths::new(self.root.clone().or_else(|| std::env::var_os("GANETI_ROOTDIR").map(PathBuf::from)))
    }

    /// Where to listen.
    ///
    /// # Errors
    /// On a virtual node whose address is not known: it must not take those of its neighbours.
    pub fn listen_address(&self, paths: &Paths, node: &str) -> Result<SocketAddr, Error> {
        let ip = match (self.bind, paths.root()) {
            (Some(ip), _) => ip,
            (None, None) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            (None, Some(_)) => {
                address::primary_ip(paths, node).ok_or_else(|| Error::NoAddress { node: node.to_owned(), hosts: paths.hosts_file() })?
            }
        };
        Ok(SocketAddr::new(ip, self.port))
    }
}

/// This node's name: GANETI_HOSTNAME, then what the cluster certified, then the system's host name.
///
/// # Errors
/// When there is none of them.
pub fn node_name(paths: &Paths) -> Result<String, Error> {
    if let Some(name) = std::env::var("GANETI_HOSTNAME").ok().filter(|name| !name.is_empty()) {
        return Ok(name);
    }
    if let Some(name) = tls::own_name(paths) {
        return Ok(name);
    }
    let name = nix::unistd::gethostname().map_err(|error| Error::NoName(error.to_string()))?;
    name.into_string().ok().filter(|name| !name.is_empty()).ok_or_else(|| Error::NoName("the host name is empty".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        Options::parse_from([&["gannet-noded"], arguments].concat())
    }

    #[test]
    fn a_virtual_node_listens_on_its_own_address_only() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::new(Some(root.path().to_owned()));
        let unknown = options(&[]).listen_address(&paths, "node7.invalid");
        assert!(matches!(unknown, Err(Error::NoAddress { .. })));
        std::fs::create_dir_all(paths.at("/etc")).expect("etc");
        std::fs::write(paths.hosts_file(), "127.77.0.7 node7.invalid\n").expect("hosts");
        let known = options(&[]).listen_address(&paths, "node7.invalid").expect("known now");
        assert_eq!(known.to_string(), "127.77.0.7:1811");
        let given = options(&["-b", "127.0.0.9", "--port", "1"]).listen_address(&paths, "node7.invalid").expect("given");
        assert_eq!(given.to_string(), "127.0.0.9:1");
    }

    #[test]
    fn a_real_node_listens_everywhere() {
        let address = options(&["-f", "-d"]).listen_address(&Paths::new(None), "node1").expect("no lookup needed");
        assert_eq!(address.to_string(), "0.0.0.0:1811");
    }

    #[test]
    fn join_takes_global_options_after_it() {
        let joined = options(&["join", "abc", "--force", "--root", "/tmp/n1"]);
        assert!(matches!(joined.command, Some(Command::Join { force: true, .. })));
        assert_eq!(joined.root, Some(PathBuf::from("/tmp/n1")));
    }
}
