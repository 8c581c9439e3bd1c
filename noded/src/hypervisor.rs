//! What the agent asks of a hypervisor, whichever it is.

pub mod fake;
pub mod kvm;
mod locks;
mod registry;
#[cfg(test)]
mod suite;

pub use locks::InstanceLocks;
pub use registry::Hypervisors;

use std::time::Duration;

use async_trait::async_trait;
use gannet_core::config::ParamMap;
use gannet_proto::node::{
    ConsoleInfo, DiskRef, HypervisorInfo, Instance, InstanceInfo, InstanceRef, InstanceShutdownReply, InstanceStartReply,
    MigrationProgress, MigrationSettleReply, Nic, ValidateReply,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

/// Bytes in both directions: a console, a tunnel.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Opens a new byte stream to the hypervisor's socket on the other node of a migration.
#[async_trait]
pub trait Tunnel: Send + Sync {
    /// One more stream. The ticket of a migration is good for one.
    async fn open(&self) -> Result<Box<dyn Duplex>, Error>;
}

/// A disk that was made ready for the guest.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// What the configuration says about it.
    pub disk: DiskRef,
    /// Where it is on this node.
    pub path: String,
    /// For userspace access (`rbd:…`, `gluster:…`); empty otherwise.
    pub uri: String,
}

/// How to reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reboot {
    /// The guest is asked to reboot.
    Soft,
    /// The machine is reset.
    Hard,
}

/// What to do with a device of a running guest.
#[derive(Debug, Clone, PartialEq)]
pub enum Hotplug {
    AddNic(Nic),
    RemoveNic(Nic),
    ModifyNic(Nic),
    AddDisk(Device),
    RemoveDisk(DiskRef),
}

/// An outgoing migration.
pub struct Outgoing<'a> {
    /// The guest.
    pub instance: &'a Instance,
    /// Its disks on this node.
    pub devices: &'a [Device],
    /// Where the hypervisor sends its data (`tcp://ADDRESS:PORT`).
    pub data_uri: &'a str,
    /// Keep the guest running meanwhile.
    pub live: bool,
    /// Copy the disks along.
    pub copy_storage: bool,
    /// 0: no limit.
    pub bandwidth_mib_s: u32,
    /// How long the guest may stand still.
    pub max_downtime_ms: u32,
    /// For the whole migration; then it is aborted.
    pub timeout: Duration,
    /// Where progress goes; nobody may listen.
    pub progress: mpsc::Sender<MigrationProgress>,
}

/// What went wrong, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such instance on this node.
    #[error("instance {instance} does not run on this node")]
    NotRunning { instance: String },
    /// A parameter or request that cannot be carried out as it is.
    #[error("{0}")]
    Invalid(String),
    /// Not possible with this hypervisor, or not built.
    #[error("{0}")]
    Unsupported(String),
    /// Something that must be there first is missing (a bridge, a program, a file).
    #[error("{0}")]
    Missing(String),
    /// Another operation holds the instance.
    #[error("{0}")]
    Busy(String),
    /// No answer in time.
    #[error("{0}")]
    Timeout(String),
    /// The hypervisor itself cannot be reached.
    #[error("{0}")]
    Unavailable(String),
    /// It was tried and failed.
    #[error("{0}")]
    Failed(String),
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NotRunning { .. } => Self::not_found(text),
            Error::Invalid(_) => Self::invalid_argument(text),
            Error::Unsupported(_) => Self::unimplemented(text),
            // Not FAILED_PRECONDITION, which tells a master of the past that it is one.
            Error::Missing(_) => Self::not_found(text),
            Error::Busy(_) => Self::aborted(text),
            Error::Timeout(_) => Self::deadline_exceeded(text),
            Error::Unavailable(_) => Self::unavailable(text),
            Error::Failed(_) => Self::internal(text),
        }
    }
}

/// One hypervisor of this node. Every method may be repeated: what has happened already is not an error.
/// The caller holds the instance's lock, except for `list`, `info`, `migrate_abort` and the console.
#[async_trait]
pub trait Hypervisor: Send + Sync {
    /// Ganeti's word for it.
    fn name(&self) -> &'static str;

    /// Does it work here, in which version, and what should the operator know?
    async fn node_facts(&self) -> HypervisorInfo;

    /// Checks filled parameters against this node.
    async fn validate(&self, params: &ParamMap) -> ValidateReply;

    /// All instances of the cluster that this hypervisor knows here, also ended ones whose end is still to be told.
    async fn list(&self) -> Result<Vec<InstanceInfo>, Error>;

    /// One instance; `None` when it is not here.
    async fn info(&self, name: &str) -> Result<Option<InstanceInfo>, Error>;

    /// Starts it; a running one is left alone (and resumed when it was paused and should not be).
    async fn start(&self, instance: &Instance, devices: &[Device], paused: bool) -> Result<InstanceStartReply, Error>;

    /// Asks it to shut down, and ends it hard after `timeout` (at once when zero).
    async fn shutdown(&self, name: &str, timeout: Duration) -> Result<InstanceShutdownReply, Error>;

    /// Ends it at once and for certain, by whatever still works; without the instance's lock. One that is not there is ended.
    async fn end_now(&self, name: &str, uuid: &str) -> Result<(), Error>;

    /// Reboots a running one.
    async fn reboot(&self, instance: &Instance, kind: Reboot, timeout: Duration) -> Result<(), Error>;

    /// Sets the memory of a running one.
    async fn balloon(&self, name: &str, memory_mib: u64) -> Result<(), Error>;

    /// Changes a device of a running one.
    async fn hotplug(&self, instance: &Instance, change: &Hotplug) -> Result<(), Error>;

    /// How to see the instance's screen or serial port.
    async fn console_info(&self, instance: &InstanceRef) -> Result<ConsoleInfo, Error>;

    /// Opens the serial console.
    async fn console(&self, name: &str) -> Result<Box<dyn Duplex>, Error>;

    /// Renames what is kept under the old name of a stopped instance.
    async fn rename(&self, old: &str, new: &str) -> Result<(), Error>;

    /// On the target: makes ready to receive, and says where data goes; empty when it needs no port.
    async fn migrate_prepare(&self, instance: &Instance, devices: &[Device], address: &str) -> Result<String, Error>;

    /// On the target: the local end of the tunnel that the source opens.
    async fn migrate_accept(&self, name: &str) -> Result<Box<dyn Duplex>, Error>;

    /// On the source: migrates, to the end.
    async fn migrate_run(&self, outgoing: &Outgoing<'_>, tunnel: Box<dyn Tunnel>) -> Result<(), Error>;

    /// On the source: stops a running migration.
    async fn migrate_abort(&self, name: &str) -> Result<(), Error>;

    /// On either side: waits until no migration of this instance runs here, then says in which state it is here.
    async fn migrate_settle(&self, name: &str, drop_incoming: bool, timeout: Duration) -> Result<MigrationSettleReply, Error>;
}
