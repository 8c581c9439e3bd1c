//! Names to addresses, and which of them are this machine's.

use std::net::{IpAddr, TcpListener, ToSocketAddrs};

use gannet_core::paths::Paths;

/// The address of `name`, of the wanted family. The hosts file of a virtual node is looked at first.
#[must_use]
pub fn resolve(paths: &Paths, name: &str, ipv6: bool) -> Option<IpAddr> {
    let of_family = |address: &IpAddr| address.is_ipv6() == ipv6;
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(address).filter(of_family);
    }
    if paths.root().is_some() {
        let hosts = std::fs::read_to_string(paths.hosts_file()).unwrap_or_default();
        if let Some(address) = in_hosts(&hosts, name).find(of_family) {
            return Some(address);
        }
    }
    (name, 0).to_socket_addrs().ok()?.map(|address| address.ip()).find(of_family)
}

/// The addresses that a hosts file has for `name`.
pub(crate) fn in_hosts<'a>(hosts: &'a str, name: &'a str) -> impl Iterator<Item = IpAddr> + 'a {
    hosts.lines().filter_map(move |line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
    })
}

/// The canonical (longest) name of `name` in the hosts file of a virtual node, or itself.
#[must_use]
pub fn full_name(paths: &Paths, name: &str) -> String {
    if name.contains('.') {
        return name.to_owned();
    }
    let hosts = std::fs::read_to_string(paths.hosts_file()).unwrap_or_default();
    let words = hosts.lines().map(|line| line.split('#').next().unwrap_or_default().split_whitespace().skip(1).collect::<Vec<_>>());
    let known = words.filter(|words| words.iter().any(|word| word.eq_ignore_ascii_case(name)));
    if let Some(found) = known.flatten().find(|word| word.starts_with(&format!("{name}."))) {
        return found.to_owned();
    }
    // A virtual node's names are in its own file only.
    let asked = if paths.root().is_none() { canonical(name) } else { None };
    asked.unwrap_or_else(|| name.to_owned())
}

/// What the system's resolver takes for the whole name.
fn canonical(name: &str) -> Option<String> {
    /// `AI_CANONNAME` of getaddrinfo(3) on Linux.
    const WITH_CANONICAL_NAME: i32 = 0x0002;
    let hints = dns_lookup::AddrInfoHints { flags: WITH_CANONICAL_NAME, ..dns_lookup::AddrInfoHints::default() };
    let found = dns_lookup::getaddrinfo(Some(name), None, Some(hints)).ok()?;
    found.filter_map(Result::ok).find_map(|info| info.canonname)
}

/// Whether the address is one of this machine's.
#[must_use]
pub fn is_own(address: IpAddr) -> bool {
    TcpListener::bind((address, 0)).is_ok()
}

/// This node's own name: `/etc/hostname` of a virtual node, `GANETI_HOSTNAME`, or the machine's host name, completed by the
/// resolver where it is short.
#[must_use]
pub fn own_name(paths: &Paths) -> Option<String> {
    let written = paths.host_name_file().and_then(|file| std::fs::read_to_string(file).ok()).map(|text| text.trim().to_owned());
    let given = written.or_else(|| std::env::var("GANETI_HOSTNAME").ok()).filter(|name| !name.is_empty());
    let name = given.or_else(|| nix::unistd::gethostname().ok()?.into_string().ok())?;
    Some(full_name(paths, &name).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_node_reads_its_own_hosts_file_first() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::new(Some(root.path().to_owned()));
        std::fs::create_dir_all(paths.at("/etc")).expect("etc");
        std::fs::write(paths.hosts_file(), "::1 node1\n127.77.0.1 node1.example.com node1 # first\n").expect("hosts");
        assert_eq!(resolve(&paths, "node1", false), "127.77.0.1".parse().ok());
        assert_eq!(resolve(&paths, "node1", true), "::1".parse().ok());
        assert_eq!(resolve(&paths, "192.0.2.7", false), "192.0.2.7".parse().ok());
        assert_eq!(full_name(&paths, "node1"), "node1.example.com");
        assert!(is_own("127.77.0.1".parse().expect("address")));
        assert!(!is_own("192.0.2.7".parse().expect("address")));
    }
}
