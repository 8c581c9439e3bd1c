//! The file of one fake guest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use gannet_proto::node::{Instance, InstanceInfo, InstanceState};
use serde::{Deserialize, Serialize};

use crate::hypervisor::Error;

/// Where a guest is in its life on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Phase {
    Running,
    Paused,
    /// Received, but not yet let go by the source.
    Incoming,
}

impl Phase {
    pub(super) fn state(self) -> InstanceState {
        match self {
            Self::Running => InstanceState::Running,
            Self::Paused => InstanceState::Paused,
            Self::Incoming => InstanceState::Incoming,
        }
    }
}

/// One guest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) uuid: String,
    pub(super) memory_mib: u64,
    pub(super) vcpus: u32,
    pub(super) phase: Phase,
    pub(super) devices: BTreeSet<String>,
    /// Seconds since 1970.
    pub(super) started: f64,
    pub(super) boots: u32,
}

impl Record {
    pub(super) fn new(instance: &Instance, phase: Phase) -> Self {
        let nics = instance.nics.iter().map(|nic| format!("nic-{}", nic.uuid));
        let disks = instance.disks.iter().map(|disk| format!("disk-{}", disk.uuid));
        Self {
            name: instance.name.clone(),
            uuid: instance.uuid.clone(),
            memory_mib: instance.max_memory_mib,
            vcpus: instance.vcpus,
            phase,
            devices: nics.chain(disks).collect(),
            started: now().as_secs_f64(),
            boots: 1,
        }
    }

    pub(super) fn since(self, boots: u32) -> Self {
        Self { boots, ..self }
    }

    pub(super) fn info(&self) -> InstanceInfo {
        InstanceInfo {
            name: self.name.clone(),
            uuid: self.uuid.clone(),
            hypervisor: "fake".to_owned(),
            state: self.phase.state().into(),
            memory_mib: self.memory_mib,
            vcpus: self.vcpus,
            cpu_time_s: (now().as_secs_f64() - self.started).max(0.0),
            id: self.uuid.clone(),
        }
    }

    /// `None` when there is no such guest.
    pub(super) fn read(directory: &Path, name: &str) -> Result<Option<Self>, Error> {
        let path = path(directory, name)?;
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path, &error)),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| failed("understand", &path, &error))
    }

    pub(super) fn all(directory: &Path) -> Result<Vec<Self>, Error> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("list", directory, &error)),
        };
        let mut all = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| failed("list", directory, &error))?.file_name();
            if let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) {
                all.extend(Self::read(directory, name)?);
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Atomic; not synced, as the guest would not outlive a power loss anyway.
    pub(super) fn write(&self, directory: &Path) -> Result<(), Error> {
        let path = path(directory, &self.name)?;
        let text = serde_json::to_vec(self).map_err(|error| failed("write", &path, &error))?;
        let temporary = directory.join(format!(".{}.new", self.name));
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(&temporary, text))
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(|error| failed("write", &path, &error))
    }

    pub(super) fn remove(directory: &Path, name: &str) -> Result<(), Error> {
        let path = path(directory, name)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path, &error)),
            _ => Ok(()),
        }
    }
}

fn path(directory: &Path, name: &str) -> Result<PathBuf, Error> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        return Err(Error::Invalid(format!("{name:?} is not an instance name")));
    }
    Ok(directory.join(name))
}

fn failed(verb: &str, path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Failed(format!("cannot {verb} {}: {error}", path.display()))
}

fn now() -> Duration {
    // a clock before 1970 only makes the guest's age wrong
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
