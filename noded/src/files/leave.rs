//! Leaving a cluster: its secrets and its copies of the configuration go, guests and their disks stay.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gannet_core::paths::Paths;

use super::Error;

/// Files of the cluster in the data directory. The node's own certificate is last: until then a leaving that broke off
/// can be repeated.
const FILES: [&str; 11] = [
    "config.data",
    "hmac.key",
    "cluster-domain-secret",
    "rapi/users",
    "rapi.pem",
    "spice.pem",
    "spice-ca.pem",
    "master.pem",
    "ca.key",
    "ca.pem",
    "server.pem",
];
/// What the cluster has written for SSH.
const SSH_FILES: [&str; 2] = ["known_hosts", "ganeti_pub_keys"];

/// Removes what belongs to the cluster; what is gone already is fine.
///
/// # Errors
/// When a file cannot be removed; the others are tried all the same.
pub fn leave(paths: &Paths, with_ssh: bool) -> Result<(), Error> {
    let dir = paths.data_dir();
    let ssh = SSH_FILES.iter().filter(|_| with_ssh);
    let named = ssh.chain(&FILES).map(|name| dir.join(name));
    let mut first_error = None;
    for path in ssconf(&dir).into_iter().chain(named) {
        if let Err(error) = remove(&path) {
            tracing::error!(path = %path.display(), %error, "cannot remove a file of the cluster");
            first_error.get_or_insert(error);
        }
    }
    first_error.map_or(Ok(()), Err)
}

fn ssconf(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"ssconf_"))).collect()
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::suite::Node;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let node = Node::new();
        let dir = node.paths.data_dir();
        fs::create_dir_all(dir.join("rapi")).unwrap();
        for name in ["ssconf_master_node", "server.pem", "rapi/users", "known_hosts", "own"] {
            fs::write(dir.join(name), "x").unwrap();
        }
        for _ in 0..2 {
            leave(&node.paths, false).unwrap();
        }
        let mut left: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["known_hosts", "own", "rapi"]);
        leave(&node.paths, true).unwrap();
        assert!(!dir.join("known_hosts").exists() && !dir.join("rapi/users").exists());
    }

    #[test]
    fn one_that_cannot_go_does_not_keep_the_others() {
        let node = Node::new();
        let dir = node.paths.data_dir();
        fs::create_dir_all(dir.join("hmac.key/x")).unwrap();
        fs::write(dir.join("server.pem"), "x").unwrap();
        assert!(leave(&node.paths, false).is_err());
        assert!(!dir.join("server.pem").exists());
    }
}
