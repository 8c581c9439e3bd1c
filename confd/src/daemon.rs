//! The running confd: stores, Raft, and its two listeners.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gannet_daemon::net::{self, Listener};
use gannet_proto::state::state_server::StateServer;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server as Rpc;

use crate::MAX_MESSAGE_BYTES;
use crate::error::Error;
use crate::identity::{DataDir, Identity, failed};
use crate::proposer::{Proposer, Reserve};
use crate::raft::{self, Consensus, Node, NodeOptions, Transport};
use crate::recover;
use crate::server::Server;
use crate::status::RoleKind;
use crate::tls::{self, Tls};

/// Requests that are under way when confd stops get this long.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// After an error of the disk, confd starts anew this often.
const RESTART_EVERY: Duration = Duration::from_secs(2);

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Databases and identity.
    pub data_dir: PathBuf,
    /// Where masterd connects.
    pub socket: PathBuf,
    /// The Raft listener, if not the address of the identity.
    pub bind: Option<SocketAddr>,
    /// The cluster's CA certificate.
    pub ca: PathBuf,
    /// Certificate and key of this node.
    pub node_cert: PathBuf,
    /// Certificate and key of master candidates.
    pub member_cert: PathBuf,
    /// Nothing is written while less than this is free in `data_dir`, in bytes.
    pub reserve: u64,
}

/// Why the daemon ended one of its lives.
enum End {
    /// It was asked to.
    Asked,
    /// Raft gave up, because the disk did.
    Failed,
    /// The cluster goes on without what is here.
    CutOff(Error),
}

/// Runs until `shutdown` is true. Calls `ready` once, when masterd can connect.
///
/// A disk that fails or is full stops Raft; confd then starts anew, again and
/// again, until the disk works.
///
/// # Errors
/// [`Error`] when it cannot start: no identity, directory in use, address in
/// use, bad certificates.
pub async fn run(options: Options, mut shutdown: watch::Receiver<bool>, ready: impl FnOnce()) -> Result<(), Error> {
    let data = DataDir::take(&options.data_dir)?;
    let identity = Identity::load(data.path())?.ok_or_else(|| {
        Error::invalid(format!("{} belongs to no cluster yet: run gnt-cluster init, or add this node to a cluster", data.path().display()))
    })?;
    recover::ask_before_start(&options, identity.id).await?;
    let mut life = Life::begin(&options, &identity).await?;
    ready();
    loop {
        match life.end(&mut shutdown).await {
            End::Asked => return Ok(()),
            End::CutOff(why) => return Err(why),
            End::Failed => life = revive(&options, &identity, &mut shutdown).await?,
        }
    }
}

async fn revive(options: &Options, identity: &Identity, shutdown: &mut watch::Receiver<bool>) -> Result<Life, Error> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(RESTART_EVERY) => {}
            _ = shutdown.wait_for(|stop| *stop) => {
                return Err(Error::unavailable("stopped while the disk did not work"));
            }
        }
        match Life::begin(options, identity).await {
            Ok(life) => return Ok(life),
            Err(error @ Error::Unusable { .. }) => return Err(error),
            Err(error) => tracing::error!(%error, "cannot start anew"),
        }
    }
}

/// From one start of Raft to its end.
struct Life {
    node: Node,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<Result<(), tonic::transport::Error>>>,
}

impl Life {
    async fn begin(options: &Options, identity: &Identity) -> Result<Self, Error> {
        let tls = Tls::load(&options.ca, &options.node_cert, &options.member_cert)?;
        let transport = match &tls {
            Some(tls) => Transport::Tls(Box::new(tls.client.clone())),
            // Without certificates there is nobody to talk to.
            None => Transport::Plain,
        };
        let raft_listener = match tls {
            Some(tls) => Some((bind(options, identity).await?, tls)),
            None => {
                tracing::warn!("no certificates: alone, the Raft port stays closed");
                None
            }
        };
        let local_listener = bind_socket(&options.socket)?;
        let node = Node::start(NodeOptions { id: identity.id, dir: &options.data_dir, transport }).await?;
        let (stop, stopping) = watch::channel(false);
        let mut listeners = vec![serve_local(options, &node, local_listener, stopping.clone())];
        if let Some((listener, tls)) = raft_listener {
            listeners.push(serve_raft(&node, listener, tls, stopping)?);
        }
        tracing::info!(id = identity.id, name = identity.name, "confd is up");
        Ok(Self { node, stop, listeners })
    }

    /// Waits for the end, and cleans up.
    async fn end(self, shutdown: &mut watch::Receiver<bool>) -> End {
        let mut role = self.node.role();
        let end = tokio::select! {
            _ = shutdown.wait_for(|stop| *stop) => End::Asked,
            why = self.node.generation().end() => End::CutOff(why),
            _ = role.wait_for(|role| role.kind == RoleKind::Stopped) => End::Failed,
        };
        if let End::Failed = end {
            tracing::error!("Raft has stopped, see above; starting anew");
        }
        self.stop.send_replace(true);
        for listener in self.listeners {
            let aborted = listener.abort_handle();
            if tokio::time::timeout(STOP_LIMIT, listener).await.is_err() {
                aborted.abort();
            }
        }
        self.node.shutdown().await;
        end
    }
}

fn serve_local(
    options: &Options,
    node: &Node,
    listener: UnixListener,
    stopping: watch::Receiver<bool>,
) -> JoinHandle<Result<(), tonic::transport::Error>> {
    let reserve = Reserve { dir: options.data_dir.clone(), bytes: options.reserve };
    let server = Server { proposer: Proposer::start(Arc::new(node.clone()), reserve), node: node.clone(), stopping: stopping.clone() };
    let service = StateServer::new(server).max_decoding_message_size(MAX_MESSAGE_BYTES).max_encoding_message_size(MAX_MESSAGE_BYTES);
    let serving = Rpc::builder().add_service(service).serve_with_incoming_shutdown(UnixListenerStream::new(listener), stopped(stopping));
    tokio::spawn(serving)
}

fn serve_raft(
    node: &Node,
    listener: Listener,
    tls: Tls,
    stopping: watch::Receiver<bool>,
) -> Result<JoinHandle<Result<(), tonic::transport::Error>>, Error> {
    let service = InterceptedService::new(raft::service(node), tls::only_members);
    let builder = Rpc::builder().tcp_nodelay(true).tls_config(tls.server);
    let builder = builder.map_err(|error| Error::unavailable(crate::error_chain(&error)));
    let serving = builder?.add_service(service).serve_with_incoming_shutdown(listener.incoming(), stopped(stopping));
    Ok(tokio::spawn(serving))
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error: the sender is gone, which is the end, too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

async fn bind(options: &Options, identity: &Identity) -> Result<Listener, Error> {
    let address = match options.bind {
        Some(address) => address.to_string(),
        None => identity.address.clone(),
    };
    let wrong = |error: std::net::AddrParseError| Error::invalid(format!("{address} is no address: {error}"));
    let bound = net::listen(address.parse().map_err(wrong)?).await;
    bound.map_err(|error| Error::unavailable(format!("cannot listen on {address}: {error}")))
}

/// A socket of a dead process is replaced; nobody else can connect before the
/// mode is set.
fn bind_socket(path: &Path) -> Result<UnixListener, Error> {
    let bind = || -> std::io::Result<UnixListener> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let draft = path.with_extension("new");
        let _ = std::fs::remove_file(&draft);
        let listener = UnixListener::bind(&draft)?;
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(&draft, path)?;
        Ok(listener)
    };
    bind().map_err(|error| failed("listen on", path, &error))
}
