//! Between agents: what nodes ask of each other, under tickets that the master had made.

mod tunnel;

pub use tunnel::PeerTunnel;
pub(crate) use tunnel::chain;

use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, StreamExt};
use gannet_core::paths::{NODED_PORT, Paths};
use gannet_proto::node::peer_client::PeerClient;
use gannet_proto::node::peer_server::Peer;
use gannet_proto::node::{Bytes, DiskChunk, DiskReceived};
use gannet_proto::{MAX_MESSAGE, TICKET_KEY};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Response, Status, Streaming};

use crate::context::Context;
use crate::hypervisor::Hypervisors;
use crate::rpc::disk;
use crate::server::caller;
use crate::ticket::Purpose;
use crate::{pipe, tls};

/// How long connecting to another agent may take.
const CONNECT: Duration = Duration::from_secs(10);
/// A peer that is gone without a word is noticed after two of these.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// Why another agent could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This node's own certificates.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The address is none.
    #[error("{address} is not an address of node {node}")]
    Address { node: String, address: String },
    /// Network or TLS.
    #[error("cannot reach the agent of node {node} at {address}")]
    Connect {
        node: String,
        address: String,
        #[source]
        source: tonic::transport::Error,
    },
}

/// Makes connections to other agents, with this node's own certificate.
#[derive(Debug)]
pub struct Peers {
    paths: Paths,
}

impl Peers {
    /// Uses the certificates below `paths`, read anew for each connection.
    #[must_use]
    pub fn new(paths: Paths) -> Self {
        Self { paths }
    }

    /// Connects to the agent of `node` at `address` (an IP, or IP:PORT). Its certificate must be for `node`.
    ///
    /// # Errors
    /// When it cannot be reached in time or is somebody else.
    pub async fn connect(&self, node: &str, address: &str) -> Result<PeerClient<Channel>, Error> {
        let connect = |source| Error::Connect { node: node.to_owned(), address: address.to_owned(), source };
        let own = pem(&self.paths.node_cert())?;
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(pem(&self.paths.ca_cert())?))
            .identity(Identity::from_pem(&own, &own))
            .domain_name(node);
        let bad = || Error::Address { node: node.to_owned(), address: address.to_owned() };
        let at = with_port(address).ok_or_else(bad)?;
        let dial = tower::service_fn(move |_| async move { gannet_daemon::net::connect(at).await.map(TokioIo::new) });
        let channel = Endpoint::from_shared(format!("https://{at}"))
            .and_then(|endpoint| endpoint.tls_config(tls))
            .map_err(connect)?
            .connect_timeout(CONNECT)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .keep_alive_while_idle(true)
            .connect_with_connector(dial)
            .await
            .map_err(connect)?;
        Ok(PeerClient::new(channel).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE))
    }
}

/// A request that carries a ticket.
///
/// # Errors
/// When the ticket is not one (it came from the master as text).
#[allow(clippy::result_large_err)] // tonic's own error type
pub fn with_ticket<T>(message: T, ticket: &str) -> Result<Request<T>, Status> {
    let value = ticket.parse().map_err(|_| Status::invalid_argument("the ticket is not one"))?;
    let mut request = Request::new(message);
    request.metadata_mut().insert(TICKET_KEY, value);
    Ok(request)
}

fn pem(path: &std::path::Path) -> Result<Vec<u8>, tls::Error> {
    std::fs::read(path).map_err(|source| tls::Error::Read { path: path.to_owned(), source })
}

fn with_port(address: &str) -> Option<std::net::SocketAddr> {
    address.parse().ok().or_else(|| Some(std::net::SocketAddr::new(address.parse().ok()?, NODED_PORT)))
}

/// The peer service of one agent.
#[derive(Clone)]
pub struct PeerService {
    context: Context,
}

impl PeerService {
    /// Serves `context`.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Uses up the ticket of a call whose purpose fits.
    #[allow(clippy::result_large_err)] // tonic's own error type
    fn admit<T>(&self, request: &Request<T>, fits: impl Fn(&Purpose) -> bool) -> Result<Purpose, Status> {
        let names = caller(request)?;
        let ticket = request.metadata().get(TICKET_KEY).and_then(|text| text.to_str().ok());
        let ticket = ticket.ok_or_else(|| Status::permission_denied(format!("the call has no {TICKET_KEY}")))?;
        self.context.tickets.redeem(ticket, &names.all, fits).map_err(|error| {
            tracing::warn!(caller = names.common_name, %error, "refused a call between nodes");
            Status::permission_denied(format!("node {}: {error}", self.context.node_name))
        })
    }
}

type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

#[tonic::async_trait]
impl Peer for PeerService {
    type TunnelStream = ByteStream;

    async fn tunnel(&self, request: Request<Streaming<Bytes>>) -> Result<Response<ByteStream>, Status> {
        let Purpose::Migration { instance, hypervisor } = self.admit(&request, |purpose| matches!(purpose, Purpose::Migration { .. }))?
        else {
            return Err(Status::internal("a ticket changed its purpose"));
        };
        let local = accept(&self.context.hypervisors, &hypervisor, &instance).await?;
        let (outbound, chunks) = mpsc::channel(pipe::QUEUE);
        let inbound = request.into_inner().map(|message| message.map(|bytes| bytes.data));
        tokio::spawn(async move {
            if let Err(error) = pipe::copy(inbound, outbound, local).await {
                tracing::debug!(instance, %error, "a tunnel ended");
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(chunks).map(|data| Ok(Bytes { data })))))
    }

    async fn disk_receive(&self, request: Request<Streaming<DiskChunk>>) -> Result<Response<DiskReceived>, Status> {
        let Purpose::DiskReceive { disk } = self.admit(&request, |purpose| matches!(purpose, Purpose::DiskReceive { .. }))? else {
            return Err(Status::internal("a ticket changed its purpose"));
        };
        disk::disk_receive(&self.context, *disk, request.into_inner()).await.map(Response::new)
    }
}

async fn accept(hypervisors: &Hypervisors, hypervisor: &str, instance: &str) -> Result<Box<dyn crate::hypervisor::Duplex>, Status> {
    Ok(hypervisors.get(hypervisor)?.migrate_accept(instance).await?)
}
