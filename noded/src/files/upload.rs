//! Files that a master may write here: a fixed list for the cluster's own ones (Ganeti: the list of `upload_file`; never
//! the list of file storage directories, which is the node's own), any absolute path for `gnt-cluster copyfile`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use gannet_core::paths::Paths;
use gannet_proto::node::FileUploadRequest;
use nix::unistd::{Group, User};

use super::Error;
use super::write::{Wanted, replace};

/// Path and mode of the files that may be uploaded. The ones of Ganeti's hypervisors follow those of the cluster.
const ALLOWED: [(&str, u32); 17] = [
    ("/var/lib/ganeti/config.data", 0o640),
    ("/etc/hosts", 0o644),
    ("/var/lib/ganeti/known_hosts", 0o644),
    ("/etc/ganeti/vnc-cluster-password", 0o600),
    ("/var/lib/ganeti/rapi.pem", 0o600),
    ("/var/lib/ganeti/spice.pem", 0o600),
    ("/var/lib/ganeti/spice-ca.pem", 0o600),
    ("/var/lib/ganeti/rapi/users", 0o600),
    ("/var/lib/ganeti/hmac.key", 0o600),
    ("/var/lib/ganeti/cluster-domain-secret", 0o600),
    ("/var/lib/ganeti/ca.pem", 0o644),
    ("/var/lib/ganeti/ca.key", 0o600),
    ("/var/lib/ganeti/master.pem", 0o600),
    ("/var/lib/ganeti/server.pem", 0o600),
    ("/etc/ganeti/kvm-vif-bridge", 0o755),
    ("/etc/xen/scripts/vif-bridge", 0o755),
    ("/etc/xen/xl.conf", 0o644),
];

/// Writes a file of the cluster's list. Directories above it are made.
///
/// # Errors
/// `Forbidden` for any other path.
pub fn upload(paths: &Paths, request: &FileUploadRequest) -> Result<(), Error> {
    let path = paths.at(&request.path);
    let Some((_, mode)) = ALLOWED.iter().find(|(allowed, _)| paths.at(allowed) == path) else {
        return Err(Error::Forbidden(format!("Filename passed to UploadFile not in allowed upload targets: '{}'", request.path)));
    };
    let dir = path.parent().unwrap_or(&path);
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    put(&path, request, *mode)
}

/// Writes any file; its directory must exist.
///
/// # Errors
/// When the path is not absolute or is a directory.
pub fn copy(paths: &Paths, request: &FileUploadRequest) -> Result<(), Error> {
    let given = Path::new(&request.path);
    if !given.is_absolute() || given.components().any(|part| part == Component::ParentDir) {
        return Err(Error::Invalid(format!("Filename is not absolute or contains '..': '{}'", request.path)));
    }
    let path = paths.at(given);
    if path.is_dir() {
        return Err(Error::Invalid(format!("{} is a directory", request.path)));
    }
    let mode = fs::metadata(&path).map_or(0o600, |old| old.permissions().mode());
    put(&path, request, mode)
}

fn put(path: &Path, request: &FileUploadRequest, default_mode: u32) -> Result<(), Error> {
    let wanted = Wanted {
        content: &request.content,
        mode: if request.mode == 0 { default_mode } else { request.mode },
        uid: uid(&request.owner)?,
        gid: gid(&request.group)?,
        mtime: Duration::try_from_secs_f64(request.mtime).ok().filter(|time| !time.is_zero()).map(|time| UNIX_EPOCH + time),
    };
    replace(&target(path), &wanted)
}

/// The file behind a link: `/etc/hosts` may be one.
fn target(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn uid(name: &str) -> Result<Option<u32>, Error> {
    if name.is_empty() {
        return Ok(None);
    }
    let user = User::from_name(name).ok().flatten();
    user.map(|user| Some(user.uid.as_raw())).ok_or_else(|| Error::Invalid(format!("there is no user '{name}'")))
}

fn gid(name: &str) -> Result<Option<u32>, Error> {
    if name.is_empty() {
        return Ok(None);
    }
    let group = Group::from_name(name).ok().flatten();
    group.map(|group| Some(group.gid.as_raw())).ok_or_else(|| Error::Invalid(format!("there is no group '{name}'")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::suite::Node;

    fn request(path: &str) -> FileUploadRequest {
        FileUploadRequest { path: path.into(), content: b"secret".to_vec(), mtime: 1_000_000_000.5, ..FileUploadRequest::default() }
    }

    #[test]
    fn only_the_list() {
        let node = Node::new();
        upload(&node.paths, &request("/var/lib/ganeti/hmac.key")).unwrap();
        let path = node.paths.at("/var/lib/ganeti/hmac.key");
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert_eq!(metadata.modified().unwrap(), UNIX_EPOCH + Duration::from_millis(1_000_000_000_500));
        upload(&node.paths, &FileUploadRequest { mode: 0o640, ..request("/var/lib/ganeti/hmac.key") }).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        for path in ["/etc/ganeti/file-storage-paths", "/etc/passwd", "/var/lib/ganeti/../x", "hmac.key", ""] {
            assert!(matches!(upload(&node.paths, &request(path)), Err(Error::Forbidden(_))), "{path}");
        }
    }

    #[test]
    fn copies_go_anywhere() {
        let node = Node::new();
        copy(&node.paths, &request("/srv/x")).unwrap();
        assert_eq!(fs::read(node.paths.at("/srv/x")).unwrap(), b"secret");
        assert!(copy(&node.paths, &request("/srv")).is_err());
        assert!(copy(&node.paths, &request("x")).is_err());
        assert!(copy(&node.paths, &request("/none/x")).is_err());
        assert!(copy(&node.paths, &FileUploadRequest { owner: "no-such-user".into(), ..request("/srv/y") }).is_err());
    }
}
