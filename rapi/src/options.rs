//! The command line of `gannet-rapi`: the options of ganeti-rapi, and the virtual root.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use gannet_core::paths::{Paths, RAPI_PORT};

use crate::tls::Files;

/// The remote API of Gannet: Ganeti's RAPI, version 2.
#[derive(Debug, Parser)]
#[command(name = "gannet-rapi", version)]
pub struct Options {
    /// Virtual root of the node; default: the environment variable GANETI_ROOTDIR
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Write the log to standard error. The daemon never detaches by itself: its starter (systemd, gnt daemon-util) does
    #[arg(short, long)]
    pub foreground: bool,
    /// Log more
    #[arg(short, long)]
    pub debug: bool,
    /// Log to syslog; only "no" is built, the journal takes what --foreground writes
    #[arg(long, value_enum, default_value_t = Syslog::No)]
    pub syslog: Syslog,
    /// Port to listen on
    #[arg(short, long, default_value_t = RAPI_PORT)]
    pub port: u16,
    /// Address to listen on; default: the node's own on a virtual node, else all addresses
    #[arg(short, long, value_name = "ADDR")]
    pub bind: Option<IpAddr>,
    /// Network interface to listen on: its first address
    #[arg(short, long, value_name = "NAME", conflicts_with = "bind")]
    pub interface: Option<String>,
    /// Speak HTTP without TLS
    #[arg(long)]
    pub no_ssl: bool,
    /// File with the key; default: rapi.pem in the data directory
    #[arg(short = 'K', long, value_name = "PATH")]
    pub ssl_key: Option<PathBuf>,
    /// File with the certificate; default: rapi.pem in the data directory
    #[arg(short = 'C', long, value_name = "PATH")]
    pub ssl_cert: Option<PathBuf>,
    /// File with further certificates of the chain
    #[arg(long, value_name = "PATH")]
    pub ssl_chain: Option<PathBuf>,
    /// Ask for user and password also where everybody may read
    #[arg(long)]
    pub require_authentication: bool,
    /// How many requests are given to the master daemon at a time; more wait for their turn
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub max_clients: u16,
}

/// Where log messages go besides the log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Syslog {
    No,
    Yes,
    Only,
}

/// Why the options do not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A virtual node whose address nobody told.
    #[error("the address of virtual node {node} is not known: put it into {hosts} or give --bind", hosts = hosts.display())]
    NoAddress { node: String, hosts: PathBuf },
    /// No such interface, or no address on it.
    #[error("network interface {0} has no IP address")]
    NoInterface(String),
    /// Not built.
    #[error("--syslog is not built yet: run with --foreground under systemd, and the journal has the log")]
    Syslog,
}

impl Options {
    /// The node's paths.
    #[must_use]
    pub fn paths(&self) -> Paths {
        Paths::new(self.root.clone().or_else(|| std::env::var_os("GANETI_ROOTDIR").map(PathBuf::from)))
    }

    /// Refuses what is not built.
    ///
    /// # Errors
    /// With --syslog yes or only.
    pub fn check(&self) -> Result<(), Error> {
        if self.syslog == Syslog::No { Ok(()) } else { Err(Error::Syslog) }
    }

    /// The certificate's files; `None` without TLS.
    #[must_use]
    pub fn tls_files(&self) -> Option<Files> {
        let file = |given: &Option<PathBuf>| given.clone().unwrap_or_else(|| self.paths().rapi_cert());
        (!self.no_ssl).then(|| Files { cert: file(&self.ssl_cert), key: file(&self.ssl_key), chain: self.ssl_chain.clone() })
    }

    /// Where to listen on the node of this name.
    ///
    /// # Errors
    /// On a virtual node whose address is not known (it must not take those of its neighbours); with an interface
    /// that has no address.
    pub fn listen_address(&self, node: &str) -> Result<SocketAddr, Error> {
        let paths = self.paths();
        let ip = match (self.bind, &self.interface, paths.root()) {
            (Some(ip), _, _) => ip,
            (None, Some(interface), _) => interface_address(interface).ok_or_else(|| Error::NoInterface(interface.clone()))?,
            (None, None, None) => any_address(&paths),
            (None, None, Some(_)) => {
                let hosts = std::fs::read_to_string(paths.hosts_file()).unwrap_or_default();
                in_hosts(&hosts, node).ok_or_else(|| Error::NoAddress { node: node.to_owned(), hosts: paths.hosts_file() })?
            }
        };
        Ok(SocketAddr::new(ip, self.port))
    }
}

/// All addresses of the family that the cluster uses.
fn any_address(paths: &Paths) -> IpAddr {
    // the number of AF_INET6, as Ganeti writes it into this file
    match std::fs::read_to_string(paths.ssconf("primary_ip_family")) {
        Ok(family) if family.trim() == "10" => Ipv6Addr::UNSPECIFIED.into(),
        _ => Ipv4Addr::UNSPECIFIED.into(),
    }
}

fn interface_address(interface: &str) -> Option<IpAddr> {
    let addresses = nix::ifaddrs::getifaddrs().ok()?.filter(|entry| entry.interface_name == interface);
    let mut found: Vec<IpAddr> = addresses
        .filter_map(|entry| entry.address)
        .filter_map(|address| {
            let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
        })
        .collect();
    found.sort_by_key(IpAddr::is_ipv6);
    found.into_iter().next()
}

fn in_hosts(hosts: &str, node: &str) -> Option<IpAddr> {
    hosts.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let ip = words.next()?.parse().ok()?;
        words.any(|name| name == node).then_some(ip)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        Options::parse_from([&["gannet-rapi"], arguments].concat())
    }

    #[test]
    fn a_virtual_node_listens_on_its_own_address_only() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().to_str().unwrap();
        let virtual_node = options(&["--root", path]);
        assert!(matches!(virtual_node.listen_address("node7"), Err(Error::NoAddress { .. })));
        std::fs::create_dir_all(root.path().join("etc")).unwrap();
        std::fs::write(root.path().join("etc/hosts"), "# 127.77.0.9 node7\n127.77.0.7 node7.example node7 # it\n").unwrap();
        assert_eq!(virtual_node.listen_address("node7").unwrap().to_string(), "127.77.0.7:5080");
        assert_eq!(options(&["--root", path, "-b", "127.0.0.9", "-p", "1"]).listen_address("node7").unwrap().to_string(), "127.0.0.9:1");
    }

    #[test]
    fn interfaces() {
        assert_eq!(options(&["-i", "lo"]).listen_address("node1").unwrap().to_string(), "127.0.0.1:5080");
        assert!(matches!(options(&["-i", "none0"]).listen_address("node1"), Err(Error::NoInterface(_))));
    }

    #[test]
    fn what_is_not_built_says_so() {
        assert!(options(&["--syslog", "only"]).check().is_err());
        assert!(options(&["--syslog", "no", "-f", "-d"]).check().is_ok());
        for bad in [&["--max-clients", "0"][..], &["--bind", "x"], &["-b", "::1", "-i", "lo"]] {
            assert!(Options::try_parse_from([&["gannet-rapi"], bad].concat()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn files() {
        let files = options(&["--root", "/tmp/n1", "-K", "/k"]).tls_files().unwrap();
        assert_eq!((files.cert, files.key, files.chain), ("/tmp/n1/var/lib/ganeti/rapi.pem".into(), "/k".into(), None));
        assert!(options(&["--no-ssl"]).tls_files().is_none());
    }
}
