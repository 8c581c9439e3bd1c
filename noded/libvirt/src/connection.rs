//! One libvirtd, reached for as long as it is needed.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{broadcast, watch};

use crate::capabilities::{self, Capabilities};
use crate::event::Event;
use crate::state::DomainInfo;
use crate::watch::{Link, Signal, Watcher};
use crate::worker::{Call, Lane, Pool, lock};
use crate::{Domain, Error, ffi};

/// Events kept for a slow receiver before it is told that it lagged. A cluster's node has some hundred guests, and each
/// start or stop makes about five events.
const EVENTS_KEPT: usize = 1024;

/// How to reach libvirt and how long to wait for it.
#[derive(Debug, Clone)]
pub struct Options {
    /// `qemu:///system`, or `qemu+unix:///system?socket=PATH`.
    pub uri: String,
    /// For the first connection.
    pub open: Duration,
    /// For reads.
    pub query: Duration,
    /// For changes of a running guest.
    pub change: Duration,
    /// For a start: QEMU is started, and a cold capability cache costs up to 7 s more.
    pub start: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            uri: "qemu:///system".to_owned(),
            open: Duration::from_secs(10),
            query: Duration::from_secs(10),
            change: Duration::from_secs(30),
            start: Duration::from_secs(60),
        }
    }
}

/// A handle to one libvirtd; cheap to clone. The last one dropped ends the thread behind it.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    pool: Pool,
    events: broadcast::Sender<Event>,
    link: watch::Receiver<Link>,
    stop: Mutex<Sender<Signal>>,
    capabilities: tokio::sync::Mutex<Option<Arc<Capabilities>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _already_gone = lock(&self.stop).send(Signal::Stop);
    }
}

/// Versions, as `major * 1_000_000 + minor * 1000 + release`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    pub libvirt: u32,
    pub hypervisor: u32,
}

/// The node as libvirt sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeInfo {
    pub cpus: u32,
    pub sockets: u32,
    pub numa_nodes: u32,
}

impl Connection {
    /// Begins to connect and returns at once: for a daemon that may start before libvirtd. Calls made before the
    /// connection is up try to connect themselves.
    pub fn start(options: Options) -> Result<Connection, Error> {
        if options.uri.contains('\0') {
            return Err(Error::invalid("libvirt URI", "it contains a NUL"));
        }
        ffi::start_event_loop()?;
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        let (link, link_rx) = watch::channel(Err("not connected yet".to_owned()));
        let (signal, signals) = channel();
        let watcher = Watcher { uri: options.uri.clone(), events: events.clone(), link, signals, signal: signal.clone() };
        std::thread::Builder::new().name("virt-watch".to_owned()).spawn(move || watcher.run()).map_err(|error| Error::Worker {
            call: "watch",
            domain: String::new(),
            reason: error.to_string(),
        })?;
        Ok(Connection {
            inner: Arc::new(Inner {
                pool: Pool::new(&options.uri),
                options,
                events,
                link: link_rx,
                stop: Mutex::new(signal),
                capabilities: tokio::sync::Mutex::default(),
            }),
        })
    }

    /// Like [`Connection::start`], and waits until the connection is up, at most `options.open`.
    pub async fn open(options: Options) -> Result<Connection, Error> {
        let connection = Connection::start(options)?;
        connection.ready(connection.options().open).await?;
        Ok(connection)
    }

    /// Waits until the connection is up.
    ///
    /// # Errors
    /// `Disconnected` with the last reason when the deadline passes.
    pub async fn ready(&self, deadline: Duration) -> Result<(), Error> {
        let mut link = self.inner.link.clone();
        let up = tokio::time::timeout(deadline, link.wait_for(Result::is_ok)).await;
        if matches!(up, Ok(Ok(_))) {
            return Ok(());
        }
        let message = match &*self.inner.link.borrow() {
            Ok(()) => return Ok(()),
            Err(reason) => reason.clone(),
        };
        Err(Error::Disconnected { uri: self.options().uri.clone(), message })
    }

    /// Is the event connection up right now?
    pub fn is_connected(&self) -> bool {
        self.inner.link.borrow().is_ok()
    }

    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// All events from now on. Subscribe first, then [`Connection::list`], and nothing is missed.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    /// A domain by name, whether it exists or not.
    ///
    /// # Errors
    /// `Invalid` for an empty name or one with control characters or a slash.
    pub fn domain(&self, name: &str) -> Result<Domain, Error> {
        if name.is_empty() || name.chars().any(|c| c.is_control() || c == '/') {
            return Err(Error::invalid(format!("domain name {name:?}"), "it is empty or has forbidden characters"));
        }
        Ok(Domain::new(self.clone(), name))
    }

    /// All domains, running or not, sorted by name.
    pub async fn list(&self) -> Result<Vec<DomainInfo>, Error> {
        self.read("list", list_all).await
    }

    /// What guests can be run here; asked once, then remembered. (KVM does not appear or vanish while a node is up.)
    pub async fn capabilities(&self) -> Result<Arc<Capabilities>, Error> {
        let mut cached = self.inner.capabilities.lock().await;
        if let Some(known) = &*cached {
            return Ok(known.clone());
        }
        // probing QEMU with a cold cache takes seconds, like a start
        let deadline = self.options().start;
        let found = self.inner.pool.run("capabilities", "", Lane::Change, deadline, capabilities::probe).await?;
        let found = Arc::new(found);
        *cached = Some(found.clone());
        Ok(found)
    }

    /// Versions of libvirt and of QEMU.
    pub async fn versions(&self) -> Result<Versions, Error> {
        self.read("versions", |call| {
            Ok(Versions { libvirt: call.check(call.conn.lib_version())?, hypervisor: call.check(call.conn.hyp_version())? })
        })
        .await
    }

    /// CPUs of the node. Memory is left out: libvirt's figure follows NUMA node 0 and is wrong on some machines.
    pub async fn node_info(&self) -> Result<NodeInfo, Error> {
        self.read("nodeInfo", |call| {
            let info = call.check(call.conn.node_info())?;
            Ok(NodeInfo { cpus: info.cpus, sockets: info.sockets, numa_nodes: info.nodes })
        })
        .await
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    async fn read<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Call<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.pool.run(name, "", Lane::Query, self.options().query, work).await
    }
}

/// Blocking; the daemon answers from memory, so a hung guest does not hold it up.
pub(crate) fn list_all(call: &Call<'_>) -> Result<Vec<DomainInfo>, Error> {
    let mut found = Vec::new();
    for domain in call.check(call.conn.list_all_domains(0))? {
        match describe(call, &domain) {
            Ok(info) => found.push(info),
            Err(error) if error.is_no_domain() => {} // gone since it was listed
            Err(error) => return Err(error),
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

pub(crate) fn describe(call: &Call<'_>, domain: &virt::domain::Domain) -> Result<DomainInfo, Error> {
    let info = call.check(domain.info())?;
    Ok(DomainInfo {
        name: call.check(domain.name())?,
        uuid: call.check(domain.uuid_string())?,
        state: call.check(ffi::state(domain))?,
        memory_mib: info.memory / 1024,
        max_memory_mib: info.max_mem / 1024,
        vcpus: info.nr_virt_cpu,
        cpu_time: Duration::from_nanos(info.cpu_time),
    })
}
