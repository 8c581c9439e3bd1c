//! Puts what the master gave where the node's daemons look for it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use gannet_core::paths::Paths;
use gannet_proto::join::JoinReply;
use rcgen::KeyPair;

use super::{Error, Token, verifier};

/// Where files of the cluster may lie.
const ALLOWED: [&str; 2] = ["/var/lib/ganeti", "/etc/ganeti"];

/// A file that shows that this node belongs to a cluster.
pub(super) fn membership(paths: &Paths) -> Option<PathBuf> {
    [paths.node_cert(), paths.ca_cert(), paths.master_cert()].into_iter().find(|path| path.exists())
}

/// Are all paths of the answer acceptable?
pub(super) fn check_files(reply: &JoinReply) -> Result<(), Error> {
    for key in reply.ssconf.keys() {
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            return Err(Error::Answer(format!("{key:?} is not an ssconf key")));
        }
    }
    for file in &reply.files {
        let path = Path::new(&file.path);
        let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        if !plain || !ALLOWED.iter().any(|directory| path.starts_with(directory)) {
            return Err(Error::Answer(format!("the file {:?} is outside of {}", file.path, ALLOWED.join(" and "))));
        }
    }
    Ok(())
}

/// Writes everything. The certificate comes last: only with it does the node belong to the cluster.
pub(super) fn install(paths: &Paths, reply: &JoinReply, key: &KeyPair, token: &Token) -> Result<(), Error> {
    let directory = paths.data_dir();
    fs::create_dir_all(&directory).map_err(|source| Error::Write { path: directory.clone(), source })?;
    leave_old_cluster(paths, token)?;
    put(&paths.ca_cert(), reply.ca_pem.as_bytes(), 0o600)?;
    for (name, content) in &reply.ssconf {
        put(&paths.ssconf(name), content.as_bytes(), 0o444)?;
    }
    for file in &reply.files {
        let mode = if file.mode == 0 { 0o600 } else { file.mode & 0o777 };
        put(&paths.at(&file.path), &file.content, mode)?;
    }
    let own = format!("{}\n{}", reply.cert_pem.trim_end(), key.serialize_pem());
    put(&paths.node_cert(), own.as_bytes(), 0o600)
}

/// Of another cluster, nothing may be left that would confuse this one: its secrets, its epoch, its state.
fn leave_old_cluster(paths: &Paths, token: &Token) -> Result<(), Error> {
    let same =
        fs::read(paths.ca_cert()).ok().and_then(|pem| verifier::single(&pem)).is_some_and(|ca| verifier::fingerprint(&ca) == token.ca);
    if same {
        return Ok(());
    }
    for path in [paths.node_cert(), paths.master_cert(), paths.ca_key(), paths.data_dir().join("gannet-epoch")] {
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(Error::Write { path, source }),
            _ => {}
        }
    }
    let state = paths.confd_dir();
    if state.exists() {
        // kept, not removed: it may be the last copy of that cluster's configuration
        let kept = paths.data_dir().join(format!("confd.before-{}", token.id.replace(|c: char| !c.is_ascii_alphanumeric(), "_")));
        fs::rename(&state, &kept).map_err(|source| Error::Write { path: kept, source })?;
    }
    Ok(())
}

/// Atomic and durable.
fn put(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        fs::create_dir_all(directory)?;
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let temporary = directory.join(format!(".{name}.new"));
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(|source| Error::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use gannet_proto::join::JoinFile;

    use super::*;

    #[test]
    fn files_elsewhere_are_refused() {
        for path in ["/etc/shadow", "/var/lib/ganeti/../../../etc/shadow", "var/lib/ganeti/x", "/var/lib/ganetix/y"] {
            let file = JoinFile { path: path.to_owned(), ..JoinFile::default() };
            let reply = JoinReply { files: vec![file], ..JoinReply::default() };
            assert!(check_files(&reply).is_err(), "{path}");
        }
        let file = JoinFile { path: "/etc/ganeti/file-storage-paths".to_owned(), ..JoinFile::default() };
        assert!(check_files(&JoinReply { files: vec![file], ..JoinReply::default() }).is_ok());
        let evil = JoinReply { ssconf: [("../x".to_owned(), String::new())].into(), ..JoinReply::default() };
        assert!(check_files(&evil).is_err());
    }
}
