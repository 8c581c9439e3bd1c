//! Live migration, driven from the source.

use std::time::Duration;

use virt_sys as sys;

use crate::worker::{Call, Lane, open};
use crate::{Domain, Error, ffi};

/// How long an aborted migration gets to clean up, before it is left to itself.
const ABORT_GRACE: Duration = Duration::from_secs(20);

/// Who talks to the target's libvirtd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// This process holds a connection to each side. Only QEMU's data stream is on the network.
    Direct,
    /// The source's libvirtd connects to the target's by itself: `dest_uri` is used from its point of view.
    PeerToPeer,
}

/// What to do and how. [`Migration::new`] gives Ganeti's live migration of an instance with shared or mirrored disks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The target's libvirtd, for example `qemu+unix:///system?socket=PATH`.
    pub dest_uri: String,
    pub route: Route,
    /// False: the guest is paused during the whole transfer.
    pub live: bool,
    /// Disks are copied along; images of the right size must exist at the target.
    pub copy_storage_all: bool,
    /// With `copy_storage_all`: only these targets (`vda`); empty: all that are writable and not shareable.
    pub copy_disks: Vec<String>,
    /// Go on where libvirt sees danger to the disks: needed for shared directories it does not know as such, and for
    /// cache modes other than `none`.
    pub unsafe_: bool,
    /// Definition stays at the target, disappears at the source.
    pub persist_dest: bool,
    pub undefine_source: bool,
    /// Memory written too fast slows the guest down instead of never coming to an end.
    pub auto_converge: bool,
    /// Abort on a disk error during the transfer.
    pub abort_on_error: bool,
    /// The data stream is encrypted with libvirt's own certificates for migration.
    pub tls: bool,
    /// MiB/s; `None`: no limit.
    pub bandwidth_mib: Option<u64>,
    /// The longest pause at the end, in milliseconds; `None`: QEMU's 300.
    pub max_downtime_ms: Option<u64>,
    /// Where the target's QEMU is to be reached: `tcp://IP:PORT`.
    pub data_uri: Option<String>,
    /// Address on which the target's QEMU listens; `None`: all.
    pub listen_address: Option<String>,
    /// Port of the target for disks that are copied; `None`: one of 49152 to 49215. Best left to libvirt: 9.0 was seen
    /// not to give a chosen port back, so that the next migration to it failed with "Failed to reserve port".
    pub disks_port: Option<u16>,
    /// The definition for the target, where paths or addresses differ. See [`Domain::migratable_xml`].
    pub dest_xml: Option<String>,
    /// The whole migration is aborted after this time.
    pub deadline: Duration,
}

impl Migration {
    /// Live, persistent at the target, gone at the source, to `tcp://target_ip:port` (Ganeti's port is 8102).
    pub fn new(dest_uri: impl Into<String>, target_ip: std::net::IpAddr, port: u16) -> Migration {
        Migration {
            dest_uri: dest_uri.into(),
            route: Route::Direct,
            live: true,
            copy_storage_all: false,
            copy_disks: Vec::new(),
            unsafe_: false,
            persist_dest: true,
            undefine_source: true,
            auto_converge: false,
            abort_on_error: true,
            tls: false,
            bandwidth_mib: None,
            max_downtime_ms: None,
            data_uri: Some(format!("tcp://{}", std::net::SocketAddr::new(target_ip, port))),
            listen_address: Some(target_ip.to_string()),
            disks_port: None,
            dest_xml: None,
            deadline: Duration::from_secs(3600),
        }
    }

    fn flags(&self) -> u32 {
        [
            (self.live, sys::VIR_MIGRATE_LIVE),
            (self.copy_storage_all, sys::VIR_MIGRATE_NON_SHARED_DISK),
            (self.unsafe_, sys::VIR_MIGRATE_UNSAFE),
            (self.persist_dest, sys::VIR_MIGRATE_PERSIST_DEST),
            (self.undefine_source, sys::VIR_MIGRATE_UNDEFINE_SOURCE),
            (self.auto_converge, sys::VIR_MIGRATE_AUTO_CONVERGE),
            (self.abort_on_error, sys::VIR_MIGRATE_ABORT_ON_ERROR),
            (self.tls, sys::VIR_MIGRATE_TLS),
            (self.route == Route::PeerToPeer, sys::VIR_MIGRATE_PEER2PEER),
        ]
        .into_iter()
        .filter_map(|(wanted, flag)| wanted.then_some(flag))
        .fold(0, |all, flag| all | flag)
    }

    fn params(&self) -> Result<ffi::Params, virt::error::Error> {
        let mut params = ffi::Params::new();
        for (name, value) in [
            (sys::VIR_MIGRATE_PARAM_URI, &self.data_uri),
            (sys::VIR_MIGRATE_PARAM_LISTEN_ADDRESS, &self.listen_address),
            (sys::VIR_MIGRATE_PARAM_DEST_XML, &self.dest_xml),
        ] {
            if let Some(value) = value {
                params.string(name, value)?;
            }
        }
        if let (true, Some(xml)) = (self.persist_dest, &self.dest_xml) {
            params.string(sys::VIR_MIGRATE_PARAM_PERSIST_XML, xml)?;
        }
        if let Some(bandwidth) = self.bandwidth_mib {
            params.u64(sys::VIR_MIGRATE_PARAM_BANDWIDTH, bandwidth)?;
        }
        if self.copy_storage_all {
            if let Some(port) = self.disks_port {
                params.int(sys::VIR_MIGRATE_PARAM_DISKS_PORT, i32::from(port))?;
            }
            for disk in &self.copy_disks {
                params.string(sys::VIR_MIGRATE_PARAM_MIGRATE_DISKS, disk)?;
            }
        }
        Ok(params)
    }
}

/// What kind of job a guest is busy with (`virDomainJobOperation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    MigrationOut,
    MigrationIn,
    Other(i32),
}

/// A running or finished job. Sizes in bytes, times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub kind: JobKind,
    pub elapsed_ms: u64,
    pub total: u64,
    pub processed: u64,
    pub remaining: u64,
    pub memory_total: u64,
    pub memory_remaining: u64,
    pub disk_total: u64,
    pub disk_remaining: u64,
    /// Rounds over the memory so far.
    pub iteration: u64,
    /// Pages per second that the guest writes.
    pub dirty_rate: u64,
    /// Expected pause, or of a finished migration the measured one.
    pub downtime_ms: Option<u64>,
}

impl Job {
    /// Share that is done, 0 to 100.
    pub fn percent(&self) -> u64 {
        let done = self.total.saturating_sub(self.remaining);
        done.saturating_mul(100).checked_div(self.total).unwrap_or(0)
    }
}

impl Domain {
    /// Moves the running guest to another libvirtd and returns when it runs there and is gone here.
    ///
    /// After any error nothing is known about either side: wait until neither has a [`Domain::job`], then ask both.
    ///
    /// # Errors
    /// `Timeout` when the deadline passed: the migration was aborted, and the guest normally goes on here.
    /// `is_unsafe_migration`: see [`Migration::unsafe_`].
    pub async fn migrate(&self, migration: &Migration) -> Result<(), Error> {
        let deadline = migration.deadline;
        let wanted = migration.clone();
        let work = self
            .connection
            .pool()
            .run("migrate", &self.name, Lane::Change, deadline.saturating_add(ABORT_GRACE), move |call| migrate(call, &wanted));
        tokio::pin!(work);
        match tokio::time::timeout(deadline, &mut work).await {
            Ok(result) => return result,
            Err(_) => tracing::warn!(domain = self.name, "migration takes too long, aborting it"),
        }
        if let Err(error) = self.abort_job().await {
            tracing::warn!(domain = self.name, %error, "cannot abort the migration");
        }
        match work.await {
            Ok(()) => Ok(()), // done in the last moment
            Err(_) => Err(Error::Timeout { call: "migrate", domain: self.name.clone(), after_s: deadline.as_secs(), behind: None }),
        }
    }

    /// The job the guest is busy with; `None`: none, or no such guest.
    pub async fn job(&self) -> Result<Option<Job>, Error> {
        self.query("job", |call| job(call, false)).await
    }

    /// The last job that was completed here: after a migration that is at the *target*, with the measured downtime.
    pub async fn completed_job(&self) -> Result<Option<Job>, Error> {
        self.query("completedJob", |call| job(call, true)).await
    }

    /// Aborts the job; without one nothing happens. The aborted call fails with `is_aborted`.
    pub async fn abort_job(&self) -> Result<(), Error> {
        self.control("abortJob", |call| {
            let Some(domain) = call.find()? else { return Ok(()) };
            match call.check(ffi::abort_job(&domain)) {
                Err(error) if error.is_wrong_state() || error.is_no_domain() => Ok(()),
                other => other,
            }
        })
        .await
    }
}

fn migrate(call: &Call<'_>, migration: &Migration) -> Result<(), Error> {
    let domain = call.lookup()?;
    let params = call.check(migration.params())?;
    if let Some(downtime) = migration.max_downtime_ms {
        call.check(domain.migrate_set_max_downtime(downtime, 0))?;
    }
    match migration.route {
        Route::Direct => {
            let dest = open(&migration.dest_uri)?;
            call.check(ffi::migrate_direct(&domain, &dest, &params, migration.flags()))
        }
        Route::PeerToPeer => call.check(ffi::migrate_peer(&domain, &migration.dest_uri, &params, migration.flags())),
    }
}

fn job(call: &Call<'_>, completed: bool) -> Result<Option<Job>, Error> {
    let Some(domain) = call.find()? else { return Ok(None) };
    let (kind, stats) = match call.check(ffi::job_stats(&domain, completed)) {
        Ok(found) => found,
        // not running, or just gone
        Err(error) if error.is_wrong_state() || error.is_no_domain() => return Ok(None),
        Err(error) => return Err(error),
    };
    // virDomainJobType: 0 is "none"
    if kind == 0 {
        return Ok(None);
    }
    let get = |name| stats.get_u64(name).unwrap_or(0);
    Ok(Some(Job {
        kind: match stats.get_int(sys::VIR_DOMAIN_JOB_OPERATION).unwrap_or(0) {
            4 => JobKind::MigrationIn,
            5 => JobKind::MigrationOut,
            other => JobKind::Other(other),
        },
        elapsed_ms: get(sys::VIR_DOMAIN_JOB_TIME_ELAPSED),
        total: get(sys::VIR_DOMAIN_JOB_DATA_TOTAL),
        processed: get(sys::VIR_DOMAIN_JOB_DATA_PROCESSED),
        remaining: get(sys::VIR_DOMAIN_JOB_DATA_REMAINING),
        memory_total: get(sys::VIR_DOMAIN_JOB_MEMORY_TOTAL),
        memory_remaining: get(sys::VIR_DOMAIN_JOB_MEMORY_REMAINING),
        disk_total: get(sys::VIR_DOMAIN_JOB_DISK_TOTAL),
        disk_remaining: get(sys::VIR_DOMAIN_JOB_DISK_REMAINING),
        iteration: get(sys::VIR_DOMAIN_JOB_MEMORY_ITERATION),
        dirty_rate: get(sys::VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE),
        downtime_ms: stats.get_u64(sys::VIR_DOMAIN_JOB_DOWNTIME),
    }))
}
