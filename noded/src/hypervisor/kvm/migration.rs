//! Live migration. The source's libvirt client talks to the target's libvirtd through a tunnel between the agents, so
//! no libvirtd listens on the network; only QEMU's own data stream goes from node to node directly.

use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use gannet_libvirt::{Domain, Migration};
use gannet_proto::node::{Instance, InstanceState, MigrationProgress, MigrationSettleReply};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Kvm, graphics, lifecycle, params, state};
use crate::hypervisor::{Device, Duplex, Error, Outgoing, Tunnel};

/// How often progress is told.
const TICK: Duration = Duration::from_millis(500);
/// How many ports from `migration_port` upward are tried: more migrations to one node at once make no sense.
const PORTS: u16 = 64;
/// A UNIX socket's path must be shorter than this.
const MAX_SOCKET_PATH: usize = 107;

impl Kvm {
    /// On the target. Promises a port, and remembers whose guest comes.
    pub(super) async fn expect_guest(&self, instance: &Instance, devices: &[Device], address: &str) -> Result<String, Error> {
        let connection = self.connection().await?;
        let files = self.files(&instance.name);
        let domain = connection.domain(&instance.name)?;
        if let Some(info) = domain.info().await? {
            if info.state.is_active() && !files.is_incoming() {
                return Err(Error::Busy(format!("instance {} already runs on node {}", instance.name, self.node)));
            }
            if info.state.is_active() && self.state_of(&domain).await?.map(|now| state(now, &files)) == Some(InstanceState::Running) {
                return Err(Error::Busy(format!(
                    "instance {} has arrived on node {} already; settle that first",
                    instance.name, self.node
                )));
            }
        }
        self.check_nics(instance)?;
        let params = params::filled(instance);
        let problems: Vec<String> = params::problems(&params).into_iter().chain(params::missing(&params)).collect();
        if !problems.is_empty() {
            return Err(Error::Missing(format!("node {}: {}", self.node, problems.join("; "))));
        }
        if let Some(missing) = devices.iter().find(|device| device.uri.is_empty() && !Path::new(&device.path).exists()) {
            return Err(Error::Missing(format!("node {} has no {}", self.node, missing.path)));
        }
        let first = u16::try_from(params.int("migration_port")).map_err(|_| Error::Invalid("migration_port is not a port".to_owned()))?;
        let ip = address.parse().map_err(|_| Error::Invalid(format!("{address} is not an address")))?;
        let port = self.promise_port(&instance.name, first, ip)?;
        files.prepare_console_log()?;
        files.remember(instance)?;
        files.mark_incoming()?;
        Ok(format!("tcp://{}", SocketAddr::new(ip, port)))
    }

    /// The same instance gets the same port again.
    fn promise_port(&self, instance: &str, first: u16, ip: std::net::IpAddr) -> Result<u16, Error> {
        // one insert at the end: whole after a panic elsewhere
        let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(port) = ports.get(instance) {
            return Ok(*port);
        }
        let candidates = first..first.saturating_add(PORTS);
        let free = |port: &u16| !ports.values().any(|taken| taken == port) && std::net::TcpListener::bind((ip, *port)).is_ok();
        let port = candidates.into_iter().find(free).ok_or_else(|| {
            Error::Busy(format!("node {} has no free port for a migration between {first} and {}", self.node, first.saturating_add(PORTS)))
        })?;
        ports.insert(instance.to_owned(), port);
        Ok(port)
    }

    /// On the source.
    pub(super) async fn send_guest(&self, outgoing: &Outgoing<'_>, tunnel: Box<dyn Tunnel>) -> Result<(), Error> {
        let name = &outgoing.instance.name;
        let domain = self.running(name).await?;
        if let Some(param) = graphics::bound_to_interface(&params::filled(outgoing.instance)) {
            return Err(Error::Unsupported(format!(
                "{param} names a network interface; a guest bound to one cannot be migrated yet by Gannet, use an address"
            )));
        }
        let mut socket = Proxy::open(&self.paths.run_dir().join("kvm-hypervisor/tunnel"), &outgoing.instance.uuid, tunnel)?;
        let migration = plan(outgoing, &socket.path)?;
        let mut lost = false;
        let result = {
            let (migrating, watching) = (domain.migrate(&migration), watch(&domain, outgoing));
            tokio::pin!(migrating, watching);
            loop {
                tokio::select! {
                    result = &mut migrating => break result,
                    never = &mut watching => match never {},
                    () = socket.broken(), if !lost => {
                        lost = true;
                        // QEMU would wait for the dead target as long as TCP does: a quarter of an hour
                        tracing::warn!(instance = name, "the tunnel to the target broke; aborting the migration");
                        if let Err(error) = domain.abort_job().await {
                            tracing::warn!(instance = name, %error, "the migration could not be aborted");
                        }
                    }
                }
            }
        };
        drop(socket);
        match result {
            Ok(()) => {
                self.files(name).remove();
                Ok(())
            }
            Err(error) if lost => {
                Err(Error::Unavailable(format!("the connection to the target of the migration of {name} broke: {error}")))
            }
            Err(error) if error.is_aborted() => Err(Error::Failed(format!("the migration of {name} was aborted"))),
            Err(error) => Err(error.into()),
        }
    }

    /// On either side.
    pub(super) async fn settle(&self, name: &str, drop_incoming: bool, timeout: Duration) -> Result<MigrationSettleReply, Error> {
        let domain = self.connection().await?.domain(name)?;
        let files = self.files(name);
        let until = Instant::now() + timeout;
        while domain.job().await?.is_some() {
            if Instant::now() >= until {
                let now = domain.state().await?.map_or(InstanceState::Stopped, |now| state(now, &files));
                return Ok(MigrationSettleReply { state: now.into(), job_running: true });
            }
            tokio::time::sleep(TICK.min(until.saturating_duration_since(Instant::now()))).await;
        }
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        let found = self.settled(name, &domain, drop_incoming).await?;
        Ok(MigrationSettleReply { state: found.into(), job_running: false })
    }

    async fn settled(&self, name: &str, domain: &Domain, drop_incoming: bool) -> Result<InstanceState, Error> {
        let files = self.files(name);
        let active = domain.state().await?.filter(|now| now.is_active());
        let now = active.map_or(InstanceState::Stopped, |now| state(now, &files));
        match now {
            InstanceState::Stopped if files.is_incoming() || active.is_none() && domain.state().await?.is_none() => files.remove(),
            InstanceState::Incoming if drop_incoming => {
                domain.stop().await?;
                files.remove();
                return Ok(InstanceState::Stopped);
            }
            InstanceState::Running if files.is_incoming() => {
                if let Some(instance) = files.instance() {
                    self.connect_nics(&instance).await?;
                }
                files.write_pid();
                files.arrived()?;
            }
            _ => {}
        }
        Ok(now)
    }
}

fn plan(outgoing: &Outgoing<'_>, socket: &Path) -> Result<Migration, Error> {
    let address: SocketAddr = outgoing
        .data_uri
        .strip_prefix("tcp://")
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| Error::Invalid(format!("{} is not the address of a migration", outgoing.data_uri)))?;
    let dest_uri = format!("qemu+unix:///system?socket={}", socket.display());
    let mut migration = Migration::new(dest_uri, address.ip(), address.port());
    migration.live = outgoing.live;
    migration.copy_storage_all = outgoing.copy_storage;
    // the cluster knows which disks both nodes see, libvirt only guesses
    migration.unsafe_ = !outgoing.copy_storage;
    migration.auto_converge = lifecycle::auto_converge(outgoing.instance);
    migration.bandwidth_mib = (outgoing.bandwidth_mib_s > 0).then(|| u64::from(outgoing.bandwidth_mib_s));
    migration.max_downtime_ms = (outgoing.max_downtime_ms > 0).then(|| u64::from(outgoing.max_downtime_ms));
    migration.deadline = outgoing.timeout;
    Ok(migration)
}

/// Tells progress for ever; a question that gets no answer is left out.
async fn watch(domain: &Domain, outgoing: &Outgoing<'_>) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(TICK).await;
        if let Ok(Some(job)) = domain.job().await {
            let progress = MigrationProgress {
                transferred_bytes: job.processed,
                total_bytes: job.total,
                elapsed_ms: job.elapsed_ms,
                downtime_ms: job.downtime_ms.unwrap_or(0),
                ..MigrationProgress::default()
            };
            let _full_or_gone = outgoing.progress.try_send(progress);
        }
    }
}

/// A UNIX socket that leads into the tunnel, for one connection of libvirt's client.
struct Proxy {
    path: PathBuf,
    task: JoinHandle<()>,
    broken: mpsc::Receiver<()>,
}

impl Proxy {
    fn open(directory: &Path, uuid: &str, tunnel: Box<dyn Tunnel>) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Failed(format!("cannot make a socket in {}: {error}", directory.display()));
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        let path = directory.join(uuid.get(..13).unwrap_or(uuid));
        if path.as_os_str().len() > MAX_SOCKET_PATH {
            return Err(Error::Failed(format!("{} is too long for a socket", path.display())));
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let (breaks, broken) = mpsc::channel(1);
        Ok(Self { path, task: tokio::spawn(serve(listener, tunnel, breaks)), broken })
    }

    /// Done when the far side ended before libvirt's client did.
    async fn broken(&mut self) {
        if self.broken.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        let _nobody_connects_any_more = std::fs::remove_file(&self.path);
    }
}

async fn serve(listener: UnixListener, tunnel: Box<dyn Tunnel>, breaks: mpsc::Sender<()>) {
    while let Ok((local, _)) = listener.accept().await {
        match tunnel.open().await {
            Ok(remote) => {
                if copy(local, remote).await == Ended::Remote {
                    let _said_already = breaks.try_send(());
                }
            }
            Err(error) => tracing::warn!(%error, "no tunnel to the target"),
        }
    }
}

/// Which side ended first.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Local,
    Remote,
}

async fn copy(local: UnixStream, remote: Box<dyn Duplex>) -> Ended {
    let (mut from_local, mut to_local) = tokio::io::split(local);
    let (mut from_remote, mut to_remote) = tokio::io::split(remote);
    tokio::select! {
        _end = tokio::io::copy(&mut from_local, &mut to_remote) => Ended::Local,
        _end = tokio::io::copy(&mut from_remote, &mut to_local) => Ended::Remote,
    }
}

#[cfg(test)]
mod tests {
    use gannet_core::paths::Paths;

    use super::super::super::suite;
    use super::*;

    #[test]
    fn ports_do_not_collide() {
        let kvm = Kvm::new(&Paths::new(None), "node1");
        let ip = "127.0.0.1".parse().expect("an address");
        let taken = std::net::TcpListener::bind((ip, 0)).expect("some port");
        let first = taken.local_addr().expect("its address").port();
        let one = kvm.promise_port("web1", first, ip).expect("a port");
        let two = kvm.promise_port("web2", first, ip).expect("a port");
        assert!(one > first && two > one, "{first} {one} {two}");
        assert_eq!(kvm.promise_port("web1", first, ip).expect("the same again"), one);
    }

    #[tokio::test]
    async fn it_is_known_which_side_broke() {
        let (local, client) = UnixStream::pair().expect("a pair");
        let (remote, far) = tokio::io::duplex(64);
        drop(far);
        assert_eq!(copy(local, Box::new(remote)).await, Ended::Remote);
        drop(client);
        let (remote, _far) = tokio::io::duplex(64);
        let (local, client) = UnixStream::pair().expect("a pair");
        drop(client);
        assert_eq!(copy(local, Box::new(remote)).await, Ended::Local);
    }

    #[test]
    fn the_plan_follows_the_request() {
        let instance = suite::instance();
        let outgoing =
            Outgoing { bandwidth_mib_s: 32, max_downtime_ms: 30, live: false, ..suite::outgoing(&instance, "tcp://192.0.2.2:8103") };
        let migration = plan(&outgoing, Path::new("/run/x")).expect("a plan");
        assert_eq!(migration.data_uri.as_deref(), Some("tcp://192.0.2.2:8103"));
        assert_eq!(
            (migration.bandwidth_mib, migration.max_downtime_ms, migration.live, migration.unsafe_),
            (Some(32), Some(30), false, true)
        );
        assert!(plan(&suite::outgoing(&instance, ""), Path::new("/run/x")).is_err());
    }
}
