//! Where things lie on a node: Ganeti's packaged layout, below the virtual root of a node if it has one
//! (`GANETI_ROOTDIR`).

use std::path::{Path, PathBuf};

/// Ganeti's paths on one node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths {
    root: Option<PathBuf>,
}

impl Paths {
    /// The paths below `root`, or the real ones.
    #[must_use]
    pub fn new(root: Option<PathBuf>) -> Self {
        Self { root: root.filter(|root| !root.as_os_str().is_empty() && root != Path::new("/")) }
    }

    /// The virtual root (`GANETI_ROOTDIR`), if this is a virtual node.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// An absolute path of the node, below the virtual root.
    #[must_use]
    pub fn at(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let path = absolute.as_ref();
        match &self.root {
            Some(root) if !path.starts_with(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
            _ => path.to_owned(),
        }
    }

    /// `/var/lib/ganeti`: state, certificates, secrets.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.at("/var/lib/ganeti")
    }

    /// `/etc/ganeti`: hooks, file storage paths, scripts.
    #[must_use]
    pub fn conf_dir(&self) -> PathBuf {
        self.at("/etc/ganeti")
    }

    /// `/var/log/ganeti`.
    #[must_use]
    pub fn log_dir(&self) -> PathBuf {
        self.at("/var/log/ganeti")
    }

    /// `/run/ganeti`: sockets, pid files; gone after a restart of the node.
    #[must_use]
    pub fn run_dir(&self) -> PathBuf {
        self.at("/run/ganeti")
    }

    /// Directory of the UNIX sockets.
    #[must_use]
    pub fn socket_dir(&self) -> PathBuf {
        self.run_dir().join("socket")
    }

    /// The LUXI socket that clients use by default.
    #[must_use]
    pub fn query_socket(&self) -> PathBuf {
        self.socket_dir().join("ganeti-query")
    }

    /// The historic LUXI socket.
    #[must_use]
    pub fn master_socket(&self) -> PathBuf {
        self.socket_dir().join("ganeti-master")
    }

    /// The state service of confd.
    #[must_use]
    pub fn confd_socket(&self) -> PathBuf {
        self.socket_dir().join("gannet-confd")
    }

    /// The keeper of the node's lease.
    #[must_use]
    pub fn lease_socket(&self) -> PathBuf {
        self.socket_dir().join("gannet-lease")
    }

    /// Database directory of confd.
    #[must_use]
    pub fn confd_dir(&self) -> PathBuf {
        self.data_dir().join("confd")
    }

    /// Certificate of the cluster's authority.
    #[must_use]
    pub fn ca_cert(&self) -> PathBuf {
        self.data_dir().join("ca.pem")
    }

    /// Key of the cluster's authority (master candidates only).
    #[must_use]
    pub fn ca_key(&self) -> PathBuf {
        self.data_dir().join("ca.key")
    }

    /// Certificate and key of this node (`server.pem`).
    #[must_use]
    pub fn node_cert(&self) -> PathBuf {
        self.data_dir().join("server.pem")
    }

    /// Client certificate and key of the master role (master candidates only).
    #[must_use]
    pub fn master_cert(&self) -> PathBuf {
        self.data_dir().join("master.pem")
    }

    /// Certificate and key of RAPI.
    #[must_use]
    pub fn rapi_cert(&self) -> PathBuf {
        self.data_dir().join("rapi.pem")
    }

    /// Users of RAPI.
    #[must_use]
    pub fn rapi_users(&self) -> PathBuf {
        self.data_dir().join("rapi/users")
    }

    /// One `ssconf_*` file.
    #[must_use]
    pub fn ssconf(&self, key: &str) -> PathBuf {
        self.data_dir().join(format!("ssconf_{key}"))
    }

    /// Ganeti's configuration file (an export here, never the source).
    #[must_use]
    pub fn config_data(&self) -> PathBuf {
        self.data_dir().join("config.data")
    }

    /// Where OS definitions are looked for, in this order.
    #[must_use]
    pub fn os_search_path(&self) -> Vec<PathBuf> {
        ["/srv/ganeti/os", "/usr/local/lib/ganeti/os", "/usr/lib/ganeti/os", "/usr/share/ganeti/os"].iter().map(|p| self.at(p)).collect()
    }

    /// Hook scripts.
    #[must_use]
    pub fn hooks_dir(&self) -> PathBuf {
        self.conf_dir().join("hooks")
    }

    /// Directories in which file storage is allowed, one a line.
    #[must_use]
    pub fn file_storage_paths_file(&self) -> PathBuf {
        self.conf_dir().join("file-storage-paths")
    }

    /// Exports of instances (`gnt-backup`).
    #[must_use]
    pub fn export_dir(&self) -> PathBuf {
        self.data_dir().join("export")
    }

    /// Logs of OS scripts.
    #[must_use]
    pub fn os_log_dir(&self) -> PathBuf {
        self.log_dir().join("os")
    }

    /// The hosts file that is looked at first on a virtual node.
    #[must_use]
    pub fn hosts_file(&self) -> PathBuf {
        self.at("/etc/hosts")
    }

    /// The host name of a virtual node, if it has a file for it; never the machine's own.
    #[must_use]
    pub fn host_name_file(&self) -> Option<PathBuf> {
        self.root.as_ref().map(|_| self.at("/etc/hostname"))
    }

    /// The pid file of a daemon, e.g. `gannet-noded`.
    #[must_use]
    pub fn pid_file(&self, daemon: &str) -> PathBuf {
        self.run_dir().join(format!("{daemon}.pid"))
    }
}

/// TCP port of the node daemon.
pub const NODED_PORT: u16 = 1811;
/// TCP port of Raft between master candidates.
pub const RAFT_PORT: u16 = 1816;
/// TCP port on which the master lets new nodes join.
pub const JOIN_PORT: u16 = 1817;
/// TCP port on which the master answers the LUXI requests that other master candidates pass on.
pub const RELAY_PORT: u16 = 1818;
/// TCP port of RAPI.
pub const RAPI_PORT: u16 = 5080;
/// First TCP port of a live migration's data stream (`migration_port`).
pub const KVM_MIGRATION_PORT: u16 = 8102;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_prefixes_once() {
        let paths = Paths::new(Some("/tmp/n1".into()));
        assert_eq!(paths.data_dir(), Path::new("/tmp/n1/var/lib/ganeti"));
        assert_eq!(paths.at(paths.data_dir()), Path::new("/tmp/n1/var/lib/ganeti"));
        assert_eq!(Paths::new(Some("/".into())).data_dir(), Path::new("/var/lib/ganeti"));
    }
}
