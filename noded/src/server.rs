//! The agent's server: TLS for both sides, who may call what, and an orderly end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use gannet_daemon::fault;
use gannet_daemon::net::{self, Listener, Stream};
use gannet_daemon::world::{self, Mistake, Seen};
use gannet_proto::node::node_server::NodeServer;
use gannet_proto::node::peer_server::PeerServer;
use gannet_proto::{EPOCH_KEY, MASTER_COMMON_NAME, MAX_MESSAGE};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::{Request, Status};

use crate::context::Context;
use crate::peer::PeerService;
use crate::rpc::NodeService;
use crate::tls;

/// How long a caller may take for its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes done but not yet served: more callers than this wait in the kernel's queue.
const ACCEPTED: usize = 64;
/// A caller that is gone without a word is noticed after two of these.
const KEEPALIVE: Duration = Duration::from_secs(5);
/// How long running calls may go on after the agent was asked to end.
pub const GRACE: Duration = Duration::from_secs(5);

/// Why the server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The address is taken, or not this node's.
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    /// The HTTP server ended.
    #[error("the node service ended")]
    Serve(#[source] tonic::transport::Error),
}

/// The TLS settings in use; replaced when certificates are read again.
#[derive(Clone)]
pub struct Certificates {
    current: Arc<RwLock<TlsAcceptor>>,
}

impl Certificates {
    /// Reads the node's certificates.
    ///
    /// # Errors
    /// When they are missing or unusable.
    pub fn load(context: &Context) -> Result<Self, Error> {
        Ok(Self { current: Arc::new(RwLock::new(acceptor(context)?)) })
    }

    /// Reads them again: new connections use the new ones, old connections go on.
    ///
    /// # Errors
    /// When the new ones are unusable; the old ones stay in use then.
    pub fn reload(&self, context: &Context) -> Result<(), Error> {
        let new = acceptor(context)?;
        // a single assignment: whole after a panic elsewhere
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn acceptor(context: &Context) -> Result<TlsAcceptor, Error> {
    Ok(TlsAcceptor::from(Arc::new(tls::server_config(&context.paths)?)))
}

/// Binds the agent's port.
///
/// # Errors
/// When the address cannot be used.
pub async fn listen(address: SocketAddr) -> Result<Listener, Error> {
    net::listen(address).await.map_err(|source| Error::Listen { address, source })
}

/// Serves until `shutdown` is done and running calls have ended (or [`GRACE`] is over).
///
/// # Errors
/// When the server breaks.
pub async fn serve(
    context: Context,
    listener: Listener,
    certificates: Certificates,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let (accepted, incoming) = mpsc::channel(ACCEPTED);
    let accepting = tokio::spawn(accept(listener, certificates, accepted));
    let node =
        NodeServer::new(NodeService::new(context.clone())).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
    let peer =
        PeerServer::new(PeerService::new(context.clone())).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
    let stopping = Arc::new(tokio::sync::Notify::new());
    let stopped = stopping.clone();
    let serving = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .layer(tower::util::MapRequestLayer::new(|mut request: http::Request<tonic::body::Body>| {
            fault::point(request.uri().path());
            if READS.contains(&request.uri().path()) {
                request.extensions_mut().insert(OnlyReads);
            }
            request
        }))
        .layer(tower::util::MapResponseLayer::new(|response: http::Response<tonic::body::Body>| {
            fault::point("after a call");
            response
        }))
        .add_service(InterceptedService::new(node, move |request| master_only(&context, request)))
        .add_service(peer)
        .serve_with_incoming_shutdown(ReceiverStream::new(incoming), async move {
            shutdown.await;
            accepting.abort();
            stopping.notify_one();
        });
    let grace = async {
        stopped.notified().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = serving => result.map_err(Error::Serve),
        () = grace => {
            tracing::warn!("calls were still running {} s after the request to end; they were cut off", GRACE.as_secs());
            Ok(())
        }
    }
}

async fn accept(listener: Listener, certificates: Certificates, accepted: mpsc::Sender<Result<TlsStream<Stream>, std::io::Error>>) {
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(connection) => connection,
            Err(error) => {
                // out of file descriptors, most likely: some calls must end first
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (acceptor, accepted) = (certificates.acceptor(), accepted.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => drop(accepted.send(Ok(stream)).await),
                Ok(Err(error)) => tracing::warn!(%from, %error, "refused a connection"),
                Err(_) => tracing::warn!(%from, "refused a connection: no TLS handshake in time"),
            }
        });
    }
}

/// What other master candidates may ask, too: for queries that they answer from their own copies of the state. It changes nothing.
const READS: [&str; 5] = [
    "/gannet.node.Node/InstanceConsoleInfo",
    "/gannet.node.Node/InstanceList",
    "/gannet.node.Node/NodeInfo",
    "/gannet.node.Node/OsDiagnose",
    "/gannet.node.Node/StorageList",
];

/// Marks calls of [`READS`].
#[derive(Clone)]
struct OnlyReads;

/// Only a master of the cluster may call the node service, and only the current one. Who has no epoch, 0, reads.
#[allow(clippy::result_large_err)] // the shape of tonic's interceptors
fn master_only(context: &Context, request: Request<()>) -> Result<Request<()>, Status> {
    let names = caller(&request)?;
    if names.common_name != MASTER_COMMON_NAME {
        return Err(Status::permission_denied(format!(
            "only a master of the cluster may call the node service, not {}",
            names.common_name
        )));
    }
    let epoch = request.metadata().get(EPOCH_KEY).ok_or_else(|| Status::invalid_argument(format!("the call has no {EPOCH_KEY}")))?;
    let epoch: u64 = epoch
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Status::invalid_argument(format!("{EPOCH_KEY} is not a number")))?;
    if epoch == 0 {
        return match request.extensions().get::<OnlyReads>() {
            Some(OnlyReads) => Ok(request),
            None => Err(Status::failed_precondition("epoch 0 is that of candidates that only read; this call is for the master")),
        };
    }
    if world::makes(Mistake::EpochUnchecked) {
        return Ok(obeyed(context, epoch, request));
    }
    match context.epoch.check(epoch, &context.node_name) {
        Ok(()) => Ok(obeyed(context, epoch, request)),
        Err(error @ crate::epoch::Error::Deposed { .. }) => Err(Status::failed_precondition(error.to_string())),
        Err(error) => {
            tracing::error!(%error, "the epoch of a new master could not be stored");
            // As one that is not there: it is waited for, and what it has to take back is not given up at once.
            Err(Status::unavailable(format!("node {} could not store the epoch: {error}", context.node_name)))
        }
    }
}

/// A simulator wants to know whom the node obeys.
fn obeyed(context: &Context, epoch: u64, request: Request<()>) -> Request<()> {
    if let Some(world) = world::get() {
        world.sees(Seen::Obeyed { epoch, from: request.remote_addr(), node: &context.node_name });
    }
    request
}

/// The names in the caller's certificate, which the handshake has verified.
///
/// # Errors
/// `UNAUTHENTICATED` when there is none.
#[allow(clippy::result_large_err)] // tonic's own error type
pub fn caller<T>(request: &Request<T>) -> Result<tls::Names, Status> {
    let certificates = request.peer_certs().ok_or_else(|| Status::unauthenticated("the call came without a certificate"))?;
    let leaf = certificates.first().ok_or_else(|| Status::unauthenticated("the call came without a certificate"))?;
    tls::names(leaf).map_err(|error| Status::unauthenticated(error.to_string()))
}
