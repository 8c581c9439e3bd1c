//! QEMU guests, with or without hardware virtualisation, through libvirt.

mod connection;
mod device;
mod graphics;
mod hotplug;
mod lifecycle;
mod migration;
mod params;
mod run_files;
mod spec;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gannet_core::config::ParamMap;
use gannet_core::paths::Paths;
use gannet_libvirt::{Connection, DomainInfo, State, StopReason};
use gannet_proto::node::{
    ConsoleInfo, HypervisorInfo, Instance, InstanceInfo, InstanceRef, InstanceShutdownReply, InstanceStartReply, InstanceState,
    MigrationSettleReply, ValidateReply,
};
use tokio::sync::OnceCell;

use self::run_files::RunFiles;
use super::{Device, Duplex, Error, Hotplug, Hypervisor, Outgoing, Reboot, Tunnel};

/// What marks a domain as one of ours.
const METADATA_NAMESPACE: &str = "https://gannet.dev/xmlns/domain/1";

/// The guests of one libvirtd.
pub struct Kvm {
    paths: Paths,
    node: String,
    /// Made at the first use, so that an agent without libvirt serves the rest.
    connection: OnceCell<Connection>,
    /// Domains that were looked at: UUID → has our mark. A definition's mark never changes.
    marks: Mutex<HashMap<String, bool>>,
    /// Data ports that are promised to incoming migrations, by instance.
    ports: Mutex<HashMap<String, u16>>,
}

impl Kvm {
    /// Connects nowhere yet.
    #[must_use]
    pub fn new(paths: &Paths, node: &str) -> Self {
        Self { paths: paths.clone(), node: node.to_owned(), connection: OnceCell::new(), marks: Mutex::default(), ports: Mutex::default() }
    }

    fn files(&self, name: &str) -> RunFiles {
        RunFiles::new(&self.paths, name)
    }

    /// Does the domain carry our mark, or did this agent start it?
    async fn is_ours(&self, connection: &Connection, info: &DomainInfo) -> Result<bool, Error> {
        if self.files(&info.name).instance().is_some_and(|instance| instance.uuid == info.uuid) {
            return Ok(true);
        }
        // inserts are single operations, so the map is whole after a panic elsewhere
        if let Some(known) = self.marks.lock().unwrap_or_else(PoisonError::into_inner).get(&info.uuid) {
            return Ok(*known);
        }
        let xml = match connection.domain(&info.name)?.xml().await {
            Ok(xml) => xml,
            Err(error) if error.is_no_domain() => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let marked = xml.contains(METADATA_NAMESPACE);
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).insert(info.uuid.clone(), marked);
        Ok(marked)
    }

    fn describe(&self, info: &DomainInfo) -> InstanceInfo {
        let files = self.files(&info.name);
        InstanceInfo {
            name: info.name.clone(),
            uuid: info.uuid.clone(),
            hypervisor: "kvm".to_owned(),
            state: state(info.state, &files).into(),
            memory_mib: info.memory_mib,
            vcpus: info.vcpus,
            cpu_time_s: info.cpu_time.as_secs_f64(),
            id: files.pid().filter(|_| info.state.is_active()).map_or_else(String::new, |pid| pid.to_string()),
        }
    }
}

/// libvirt's state in the cluster's words.
fn state(state: State, files: &RunFiles) -> InstanceState {
    match state {
        State::Paused(_) if files.is_incoming() => InstanceState::Incoming,
        State::Running | State::Blocked => InstanceState::Running,
        State::Paused(_) | State::Suspended => InstanceState::Paused,
        State::ShuttingDown => InstanceState::ShuttingDown,
        State::Crashed | State::ShutOff(StopReason::Crashed | StopReason::Failed) => InstanceState::Crashed,
        // what we end is undefined at once: what is still listed ended by itself
        State::ShutOff(StopReason::Shutdown)
            if files.instance().is_some_and(|instance| params::filled(&instance).bool("user_shutdown")) =>
        {
            InstanceState::UserDown
        }
        State::ShutOff(_) | State::NoState | State::Other(_) => InstanceState::Stopped,
    }
}

impl From<gannet_libvirt::Error> for Error {
    fn from(error: gannet_libvirt::Error) -> Self {
        let text = error.to_string();
        match error {
            gannet_libvirt::Error::Timeout { .. } => Self::Timeout(text),
            gannet_libvirt::Error::Invalid { .. } => Self::Invalid(text),
            _ if error.is_disconnected() => Self::Unavailable(text),
            _ if error.is_busy() => Self::Busy(text),
            _ if error.is_unsupported() => Self::Unsupported(text),
            _ => Self::Failed(text),
        }
    }
}

#[async_trait]
impl Hypervisor for Kvm {
    fn name(&self) -> &'static str {
        "kvm"
    }

    async fn node_facts(&self) -> HypervisorInfo {
        let mut facts = HypervisorInfo { name: self.name().to_owned(), ..HypervisorInfo::default() };
        match self.facts().await {
            Ok((version, warning)) => (facts.version, facts.warning) = (version, warning),
            Err(error) => facts.error = error.to_string(),
        }
        facts
    }

    async fn validate(&self, given: &ParamMap) -> ValidateReply {
        let params = params::with_defaults(given.clone());
        let mut problems = params::problems(&params);
        problems.extend(params::missing(&params));
        let mut warnings = Vec::new();
        match self.machine_problems(&params).await {
            Ok(found) => problems.extend(found),
            Err(error) => warnings.push(format!("machine_version and cpu_type could not be checked: {error}")),
        }
        ValidateReply { problems, warnings }
    }

    async fn list(&self) -> Result<Vec<InstanceInfo>, Error> {
        let connection = self.connection().await?;
        let mut found = Vec::new();
        for info in connection.list().await? {
            if self.is_ours(connection, &info).await? {
                found.push(self.describe(&info));
            }
        }
        Ok(found)
    }

    async fn info(&self, name: &str) -> Result<Option<InstanceInfo>, Error> {
        let connection = self.connection().await?;
        match connection.domain(name)?.info().await? {
            Some(info) if self.is_ours(connection, &info).await? => Ok(Some(self.describe(&info))),
            _ => Ok(None),
        }
    }

    async fn start(&self, instance: &Instance, devices: &[Device], paused: bool) -> Result<InstanceStartReply, Error> {
        self.bring_up(instance, devices, paused).await
    }

    async fn shutdown(&self, name: &str, timeout: Duration) -> Result<InstanceShutdownReply, Error> {
        self.bring_down(name, timeout).await
    }

    async fn end_now(&self, name: &str, uuid: &str) -> Result<(), Error> {
        self.kill(name, uuid);
        self.bring_down(name, Duration::ZERO).await.map(drop)
    }

    async fn reboot(&self, instance: &Instance, kind: Reboot, timeout: Duration) -> Result<(), Error> {
        self.boot_again(&instance.name, kind, timeout).await
    }

    async fn balloon(&self, name: &str, memory_mib: u64) -> Result<(), Error> {
        Ok(self.running(name).await?.set_memory(memory_mib).await?)
    }

    async fn hotplug(&self, instance: &Instance, change: &Hotplug) -> Result<(), Error> {
        self.change_device(instance, change).await
    }

    async fn console_info(&self, instance: &InstanceRef) -> Result<ConsoleInfo, Error> {
        self.screen(&instance.name).await
    }

    async fn console(&self, name: &str) -> Result<Box<dyn Duplex>, Error> {
        let domain = self.running(name).await?;
        if domain.console_pty().await?.is_none() {
            return Err(Error::Missing(format!("instance {name} has no serial console (serial_console=false)")));
        }
        Ok(Box::new(domain.open_console().await?))
    }

    async fn rename(&self, old: &str, new: &str) -> Result<(), Error> {
        self.keep_under(old, new).await
    }

    async fn migrate_prepare(&self, instance: &Instance, devices: &[Device], address: &str) -> Result<String, Error> {
        self.expect_guest(instance, devices, address).await
    }

    async fn migrate_accept(&self, _name: &str) -> Result<Box<dyn Duplex>, Error> {
        self.own_socket().await
    }

    async fn migrate_run(&self, outgoing: &Outgoing<'_>, tunnel: Box<dyn Tunnel>) -> Result<(), Error> {
        self.send_guest(outgoing, tunnel).await
    }

    async fn migrate_abort(&self, name: &str) -> Result<(), Error> {
        Ok(self.connection().await?.domain(name)?.abort_job().await?)
    }

    async fn migrate_settle(&self, name: &str, drop_incoming: bool, timeout: Duration) -> Result<MigrationSettleReply, Error> {
        self.settle(name, drop_incoming, timeout).await
    }
}
