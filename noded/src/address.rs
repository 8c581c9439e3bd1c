//! Which addresses this node has, by the cluster's own files first.

use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;

use gannet_core::paths::Paths;

/// The primary address of `name`: `ssconf_node_primary_ips`, then the node's hosts file, then the resolver.
#[must_use]
pub fn primary_ip(paths: &Paths, name: &str) -> Option<IpAddr> {
    from_ssconf(paths, "node_primary_ips", name).or_else(|| resolve(paths, name))
}

/// The secondary address of `name`, if the cluster has told one.
#[must_use]
pub fn secondary_ip(paths: &Paths, name: &str) -> Option<IpAddr> {
    from_ssconf(paths, "node_secondary_ips", name)
}

/// Looks a host up: the hosts file of a virtual node decides alone if it knows the name.
#[must_use]
pub fn resolve(paths: &Paths, name: &str) -> Option<IpAddr> {
    if paths.root().is_some()
        && let Some(address) = from_hosts(&paths.hosts_file(), name)
    {
        return Some(address);
    }
    (name, 0).to_socket_addrs().ok()?.next().map(|address| address.ip())
}

fn from_ssconf(paths: &Paths, key: &str, name: &str) -> Option<IpAddr> {
    let text = std::fs::read_to_string(paths.ssconf(key)).ok()?;
    text.lines().find_map(|line| {
        let (node, address) = line.split_once(' ')?;
        (node == name).then(|| address.trim().parse().ok())?
    })
}

fn from_hosts(path: &Path, name: &str) -> Option<IpAddr> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssconf_comes_before_hosts() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::new(Some(root.path().to_owned()));
        std::fs::create_dir_all(paths.data_dir()).expect("data dir");
        std::fs::create_dir_all(paths.at("/etc")).expect("etc");
        std::fs::write(paths.hosts_file(), "127.77.0.1 node1.example.com node1 # first\n").expect("hosts");
        assert_eq!(primary_ip(&paths, "node1"), "127.77.0.1".parse().ok());
        std::fs::write(paths.ssconf("node_primary_ips"), "node1x 127.77.0.8\nnode1 127.77.0.9\n").expect("ssconf");
        assert_eq!(primary_ip(&paths, "node1"), "127.77.0.9".parse().ok());
        assert_eq!(secondary_ip(&paths, "node1"), None);
    }
}
