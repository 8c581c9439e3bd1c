//! What `gnt-cluster verify` wants to know of a node, found out in one go.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use gannet_core::paths::{NODED_PORT, Paths};
use gannet_proto::node::PeerAddress;
use nix::unistd::{AccessFlags, access};
use sha2::{Digest, Sha256};

use crate::storage::allowed;

/// How long another node may take to accept a connection.
const REACH: Duration = Duration::from_secs(5);

/// Path → SHA-256 in hex of each file that is there.
#[must_use]
pub fn digests(paths: &Paths, files: &[String]) -> HashMap<String, String> {
    files.iter().filter_map(|file| Some((file.clone(), digest(&paths.at(file)).ok()?))).collect()
}

fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0_u8; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => sum.update(&buffer[..count]),
        }
    }
}

/// Bridges of the list that this node has not.
#[must_use]
pub fn missing_bridges(bridges: &[String]) -> Vec<String> {
    let exists = |name: &String| !name.is_empty() && !name.contains('/') && Path::new("/sys/class/net").join(name).join("bridge").is_dir();
    bridges.iter().filter(|name| !exists(name)).cloned().collect()
}

/// Name → why it cannot be reached, for those that cannot. All are tried at once.
pub async fn unreachable(peers: &[PeerAddress]) -> HashMap<String, String> {
    let tries: FuturesUnordered<_> =
        peers.iter().map(|peer| async move { reach(peer).await.err().map(|why| (peer.name.clone(), why)) }).collect();
    tries.filter_map(std::future::ready).collect().await
}

async fn reach(peer: &PeerAddress) -> Result<(), String> {
    let address: SocketAddr = match peer.address.parse::<IpAddr>() {
        Ok(ip) => SocketAddr::new(ip, NODED_PORT),
        Err(_) => peer.address.parse().map_err(|_| format!("'{}' is not an address", peer.address))?,
    };
    match tokio::time::timeout(REACH, gannet_daemon::net::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("cannot connect to {address}: {error}")),
        Err(_) => Err(format!("cannot connect to {address}: no answer within {} s", REACH.as_secs())),
    }
}

/// Directory → what is wrong with it, for those with which something is.
#[must_use]
pub fn file_storage_problems(paths: &Paths, dirs: &[String]) -> HashMap<String, String> {
    dirs.iter().filter_map(|dir| Some((dir.clone(), allowed::problem(paths, dir)?))).collect()
}

/// What the operator should know, though nothing is broken.
#[must_use]
pub fn warnings(paths: &Paths) -> Vec<String> {
    let file = paths.file_storage_paths_file();
    let wrong = allowed::wrong_entries(paths);
    wrong.iter().map(|entry| format!("{} lists '{entry}', which is never used for file storage", file.display())).collect()
}

/// Scripts of the list that are missing or not executable.
#[must_use]
pub fn missing_scripts(paths: &Paths, scripts: &[String]) -> Vec<String> {
    let usable = |script: &String| {
        let path = paths.at(script);
        path.is_file() && access(&path, AccessFlags::X_OK).is_ok()
    };
    scripts.iter().filter(|script| !usable(script)).cloned().collect()
}

/// Seconds since 1970.
#[must_use]
pub fn time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::suite::Node;

    #[test]
    fn files_and_scripts() {
        let node = Node::new();
        std::fs::write(node.paths.at("/srv/a"), "abc").unwrap();
        let found = digests(&node.paths, &["/srv/a".into(), "/srv/none".into()]);
        assert_eq!(found.len(), 1);
        assert_eq!(found["/srv/a"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        crate::os::sample::script(&node.paths.at("/srv/ok"), "");
        let scripts = ["/srv/ok".to_owned(), "/srv/a".into(), "/srv/none".into()];
        assert_eq!(missing_scripts(&node.paths, &scripts), ["/srv/a", "/srv/none"]);
    }

    #[test]
    fn bridges_and_storage() {
        assert_eq!(missing_bridges(&["lo".into(), "../x".into(), "no-such-br".into()]), ["lo", "../x", "no-such-br"]);
        let node = Node::new();
        let problems = file_storage_problems(&node.paths, &["/srv/ganeti/file-storage".into(), "/srv/other".into()]);
        assert!(problems.len() == 1 && problems["/srv/other"].contains("not acceptable"));
        node.allow("/srv/ganeti/file-storage\n/usr/lib/x\n");
        assert_eq!(warnings(&node.paths).len(), 1);
    }

    #[tokio::test]
    async fn peers() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = {
            let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            other.local_addr().unwrap().to_string()
        };
        let peer = |name: &str, address: String| PeerAddress { name: name.into(), address };
        let peers = [peer("up", listener.local_addr().unwrap().to_string()), peer("down", closed), peer("odd", "x".into())];
        let unreachable = unreachable(&peers).await;
        let mut names: Vec<_> = unreachable.keys().collect();
        names.sort();
        assert_eq!(names, ["down", "odd"]);
    }
}
