//! What is kept of a guest below `RUN_DIR/kvm-hypervisor`: Ganeti's files for other tools, and our own memory of what
//! was started. All of it is gone after a restart of the node, as the guest is.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use gannet_core::paths::Paths;
use gannet_proto::node::Instance;
use prost::Message;

use crate::hypervisor::Error;
use crate::net::NicFiles;

/// Where libvirt writes the process number of a guest.
const LIBVIRT_RUN: &str = "/run/libvirt/qemu";

/// The files of one guest.
pub(super) struct RunFiles {
    name: String,
    directory: PathBuf,
    nics: NicFiles,
    log: PathBuf,
}

impl RunFiles {
    pub(super) fn new(paths: &Paths, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            directory: paths.run_dir().join("kvm-hypervisor"),
            nics: NicFiles::new(paths, name),
            log: paths.log_dir().join("kvm").join(format!("{name}.console")),
        }
    }

    pub(super) fn nics(&self) -> &NicFiles {
        &self.nics
    }

    /// What the serial console printed, over all starts.
    pub(super) fn console_log(&self) -> &Path {
        &self.log
    }

    pub(super) fn prepare_console_log(&self) -> Result<(), Error> {
        let directory = self.log.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(directory).map_err(|error| failed("create", directory, &error))
    }

    fn at(&self, kind: &str) -> PathBuf {
        self.directory.join(kind).join(&self.name)
    }

    /// Remembers what was started or is awaited, without secrets.
    pub(super) fn remember(&self, instance: &Instance) -> Result<(), Error> {
        let mut kept = instance.clone();
        kept.osparams_private.clear();
        kept.osparams_secret.clear();
        let path = self.at("instance");
        write(&path, &kept.encode_to_vec()).map_err(|error| failed("write", &path, &error))
    }

    /// What was remembered; `None` when nothing was, or it cannot be read.
    pub(super) fn instance(&self) -> Option<Instance> {
        let path = self.at("instance");
        let bytes = fs::read(&path).ok()?;
        Instance::decode(bytes.as_slice()).inspect_err(|error| tracing::warn!(path = %path.display(), %error, "unreadable")).ok()
    }

    pub(super) fn mark_incoming(&self) -> Result<(), Error> {
        let path = self.at("incoming");
        write(&path, b"").map_err(|error| failed("write", &path, &error))
    }

    pub(super) fn is_incoming(&self) -> bool {
        self.at("incoming").exists()
    }

    pub(super) fn arrived(&self) -> Result<(), Error> {
        let path = self.at("incoming");
        remove(&path).map_err(|error| failed("remove", &path, &error))
    }

    /// Ganeti's pid file, copied from libvirt's. Only for other tools, so a failure is only logged.
    pub(super) fn write_pid(&self) {
        let copied = fs::read(Path::new(LIBVIRT_RUN).join(format!("{}.pid", self.name))).and_then(|pid| write(&self.at("pid"), &pid));
        if let Err(error) = copied {
            tracing::debug!(instance = self.name, %error, "no pid file");
        }
    }

    pub(super) fn pid(&self) -> Option<u32> {
        fs::read_to_string(self.at("pid")).ok()?.trim().parse().ok()
    }

    /// What its process may be, by our file and libvirt's: one that was received by a migration may have only the latter.
    pub(super) fn pids(&self) -> Vec<u32> {
        let of_libvirt = fs::read_to_string(Path::new(LIBVIRT_RUN).join(format!("{}.pid", self.name)));
        self.pid().into_iter().chain(of_libvirt.ok().and_then(|text| text.trim().parse().ok())).collect()
    }

    /// Forgets the guest; its console log stays.
    pub(super) fn remove(&self) {
        let removed = ["instance", "incoming", "pid"].iter().map(|kind| remove(&self.at(kind))).chain([self.nics.remove()]);
        for error in removed.filter_map(Result::err) {
            tracing::warn!(instance = self.name, %error, "a run file stays");
        }
    }
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(directory)?;
    let temporary = path.with_file_name(format!(".{}.new", path.file_name().unwrap_or_default().to_string_lossy()));
    remove(&temporary)?;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?.write_all(content)?;
    fs::rename(temporary, path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn failed(verb: &str, path: &Path, error: &io::Error) -> Error {
    Error::Failed(format!("cannot {verb} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_kept() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let files = RunFiles::new(&Paths::new(Some(root.path().to_owned())), "web1");
        let secret = [("root_password".to_owned(), "hunter2".to_owned())];
        let instance = Instance {
            uuid: "u1".to_owned(),
            osparams_secret: secret.clone().into(),
            osparams_private: secret.into(),
            ..Instance::default()
        };
        files.remember(&instance).expect("remember");
        files.mark_incoming().expect("mark");
        let kept = files.instance().expect("kept");
        assert_eq!((kept.uuid.as_str(), kept.osparams_secret.len(), kept.osparams_private.len()), ("u1", 0, 0));
        assert!(files.is_incoming());
        files.remove();
        files.remove();
        assert!(files.instance().is_none() && !files.is_incoming());
    }
}
