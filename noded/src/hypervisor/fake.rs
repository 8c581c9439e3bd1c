//! The hypervisor that runs nothing: one file per "guest", no privileges. It is there so that whole clusters can be
//! tried on one machine. Its guests outlive the agent, but not a power loss of the node, as `RUN_DIR` does not.

mod record;
mod seen;
mod transfer;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use gannet_core::config::ParamMap;
use gannet_core::paths::Paths;
use gannet_proto::node::{
    ConsoleInfo, HypervisorInfo, Instance, InstanceInfo, InstanceRef, InstanceShutdownReply, InstanceStartReply, InstanceState,
    MigrationProgress, MigrationSettleReply, ValidateReply,
};
use tokio::io::AsyncWriteExt;

use self::record::{Phase, Record};
use self::seen::Seen;
use super::{Device, Duplex, Error, Hotplug, Hypervisor, Outgoing, Reboot, Tunnel};

/// Ganeti's text for a console that is not there.
const NO_CONSOLE: &str = "Console not available for fake hypervisor";

/// Guests as files under `RUN_DIR/fake-hypervisor`.
pub struct Fake {
    directory: PathBuf,
    seen: Seen,
}

impl Fake {
    /// Keeps its guests in the run directory of `paths`.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self { directory: paths.run_dir().join("fake-hypervisor"), seen: Seen::default() }
    }

    fn running(&self, name: &str) -> Result<Record, Error> {
        match Record::read(&self.directory, name)? {
            Some(record) if matches!(record.phase, Phase::Running | Phase::Paused) => Ok(record),
            _ => Err(Error::NotRunning { instance: name.to_owned() }),
        }
    }

    fn settled(&self, name: &str, drop_incoming: bool) -> Result<InstanceState, Error> {
        match Record::read(&self.directory, name)? {
            None => Ok(InstanceState::Stopped),
            Some(record) if record.phase == Phase::Incoming && drop_incoming => {
                Record::remove(&self.directory, name)?;
                Ok(InstanceState::Stopped)
            }
            Some(record) => Ok(record.phase.state()),
        }
    }
}

#[async_trait]
impl Hypervisor for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn node_facts(&self) -> HypervisorInfo {
        let error = std::fs::create_dir_all(&self.directory)
            .err()
            .map_or_else(String::new, |error| format!("cannot create {}: {error}", self.directory.display()));
        HypervisorInfo { name: self.name().to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), error, warning: String::new() }
    }

    async fn validate(&self, params: &ParamMap) -> ValidateReply {
        let problems = params
            .iter()
            .filter_map(|(name, value)| match name.as_str() {
                "migration_mode" if matches!(value.as_str(), Some("live" | "non-live")) => None,
                "migration_mode" => Some(format!("migration_mode must be live or non-live, not {value}")),
                other => Some(format!("hypervisor fake has no parameter {other}")),
            })
            .collect();
        ValidateReply { problems, warnings: Vec::new() }
    }

    async fn list(&self) -> Result<Vec<InstanceInfo>, Error> {
        Ok(self.seen.all(&self.directory)?.iter().map(Record::info).collect())
    }

    async fn info(&self, name: &str) -> Result<Option<InstanceInfo>, Error> {
        Ok(Record::read(&self.directory, name)?.as_ref().map(Record::info))
    }

    async fn start(&self, instance: &Instance, _devices: &[Device], paused: bool) -> Result<InstanceStartReply, Error> {
        let (record, was_running) = match Record::read(&self.directory, &instance.name)? {
            Some(record) if record.phase == Phase::Incoming => {
                return Err(Error::Busy(format!("instance {} is being received by a migration; settle that first", record.name)));
            }
            Some(record) => (record, true),
            None => (Record::new(instance, Phase::Running), false),
        };
        let phase = if paused && (!was_running || record.phase == Phase::Paused) { Phase::Paused } else { Phase::Running };
        if !was_running || record.phase != phase {
            Record { phase, ..record }.write(&self.directory)?;
        }
        Ok(InstanceStartReply { was_running, warnings: Vec::new() })
    }

    async fn shutdown(&self, name: &str, _timeout: Duration) -> Result<InstanceShutdownReply, Error> {
        let was_stopped = Record::read(&self.directory, name)?.is_none();
        Record::remove(&self.directory, name)?;
        Ok(InstanceShutdownReply { was_stopped, was_forced: false })
    }

    async fn end_now(&self, name: &str, _uuid: &str) -> Result<(), Error> {
        Record::remove(&self.directory, name)
    }

    async fn reboot(&self, instance: &Instance, _kind: Reboot, _timeout: Duration) -> Result<(), Error> {
        let record = self.running(&instance.name)?;
        Record::new(instance, Phase::Running).since(record.boots + 1).write(&self.directory)
    }

    async fn balloon(&self, name: &str, memory_mib: u64) -> Result<(), Error> {
        Record { memory_mib, ..self.running(name)? }.write(&self.directory)
    }

    async fn hotplug(&self, instance: &Instance, change: &Hotplug) -> Result<(), Error> {
        let mut record = self.running(&instance.name)?;
        match change {
            Hotplug::AddNic(nic) | Hotplug::ModifyNic(nic) => drop(record.devices.insert(format!("nic-{}", nic.uuid))),
            Hotplug::RemoveNic(nic) => drop(record.devices.remove(&format!("nic-{}", nic.uuid))),
            Hotplug::AddDisk(device) => drop(record.devices.insert(format!("disk-{}", device.disk.uuid))),
            Hotplug::RemoveDisk(disk) => drop(record.devices.remove(&format!("disk-{}", disk.uuid))),
        }
        record.write(&self.directory)
    }

    async fn console_info(&self, _instance: &InstanceRef) -> Result<ConsoleInfo, Error> {
        Ok(ConsoleInfo { kind: "none".to_owned(), message: NO_CONSOLE.to_owned(), ..ConsoleInfo::default() })
    }

    async fn console(&self, name: &str) -> Result<Box<dyn Duplex>, Error> {
        let record = self.running(name)?;
        let (near, mut far) = tokio::io::duplex(1024);
        let text = format!("{NO_CONSOLE}\r\n{}: {} MiB, {} VCPUs, boot {}\r\n", record.name, record.memory_mib, record.vcpus, record.boots);
        // 1024 bytes fit in the pipe: names are limited to 255 characters
        far.write_all(text.as_bytes()).await.map_err(|error| Error::Failed(error.to_string()))?;
        Ok(Box::new(near))
    }

    async fn rename(&self, old: &str, new: &str) -> Result<(), Error> {
        // nothing is kept of a stopped guest
        for name in [old, new] {
            if Record::read(&self.directory, name)?.is_some() {
                return Err(Error::Busy(format!("instance {name} is running on this node; it cannot be renamed")));
            }
        }
        Ok(())
    }

    async fn migrate_prepare(&self, instance: &Instance, _devices: &[Device], _address: &str) -> Result<String, Error> {
        match Record::read(&self.directory, &instance.name)? {
            Some(record) if record.phase != Phase::Incoming => {
                Err(Error::Busy(format!("instance {} already runs on this node", instance.name)))
            }
            _ => Ok(String::new()),
        }
    }

    async fn migrate_accept(&self, name: &str) -> Result<Box<dyn Duplex>, Error> {
        let (near, far) = tokio::io::duplex(16 * 1024);
        tokio::spawn(transfer::receive(self.directory.clone(), name.to_owned(), far));
        Ok(Box::new(near))
    }

    async fn migrate_run(&self, outgoing: &Outgoing<'_>, tunnel: Box<dyn Tunnel>) -> Result<(), Error> {
        let name = &outgoing.instance.name;
        let record = self.running(name)?;
        let bytes = record.memory_mib << 20;
        let stream = tunnel.open().await?;
        let sent = transfer::send(&self.directory, record, stream);
        tokio::time::timeout(outgoing.timeout, sent)
            .await
            .map_err(|_| Error::Timeout(format!("the migration of {name} took longer than {} s", outgoing.timeout.as_secs())))??;
        let progress = MigrationProgress { transferred_bytes: bytes, total_bytes: bytes, ..MigrationProgress::default() };
        let _nobody_listens = outgoing.progress.send(progress).await;
        Ok(())
    }

    async fn migrate_abort(&self, _name: &str) -> Result<(), Error> {
        // handing a file over takes no time in which it could be stopped
        Ok(())
    }

    async fn migrate_settle(&self, name: &str, drop_incoming: bool, _timeout: Duration) -> Result<MigrationSettleReply, Error> {
        let state = self.settled(name, drop_incoming)?;
        Ok(MigrationSettleReply { state: state.into(), job_running: false })
    }
}

#[cfg(test)]
mod tests {
    use super::super::suite;
    use super::*;

    fn node() -> (tempfile::TempDir, Fake) {
        let root = tempfile::tempdir().expect("a temporary directory");
        let fake = Fake::new(&Paths::new(Some(root.path().to_owned())));
        (root, fake)
    }

    #[tokio::test]
    async fn passes_the_suite() {
        let (_root, fake) = node();
        let (_other_root, other) = node();
        suite::run(&fake, &other, &Instance { hypervisor: "fake".to_owned(), ..suite::instance() }).await;
    }

    #[tokio::test]
    async fn guests_outlive_the_agent() {
        let (root, fake) = node();
        fake.start(&suite::instance(), &[], false).await.expect("start");
        drop(fake);
        let again = Fake::new(&Paths::new(Some(root.path().to_owned())));
        assert_eq!(again.list().await.expect("list").len(), 1);
    }

    #[tokio::test]
    async fn a_broken_handover_leaves_the_guest_at_the_source() {
        struct Broken;
        #[async_trait]
        impl Tunnel for Broken {
            async fn open(&self) -> Result<Box<dyn Duplex>, Error> {
                Ok(Box::new(tokio::io::duplex(64).0))
            }
        }
        let (_root, fake) = node();
        let instance = suite::instance();
        fake.start(&instance, &[], false).await.expect("start");
        let outgoing = suite::outgoing(&instance, "");
        assert!(fake.migrate_run(&outgoing, Box::new(Broken)).await.is_err());
        let settled = fake.migrate_settle(&instance.name, false, Duration::ZERO).await.expect("settle");
        assert_eq!(settled.state(), InstanceState::Running);
        assert!(fake.directory.join(&instance.name).exists());
    }
}
