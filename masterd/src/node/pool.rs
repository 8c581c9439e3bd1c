//! The connections.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gannet_core::config::{Config, Node};
use gannet_core::id::{Epoch, NodeUuid};
use gannet_core::paths::NODED_PORT;
use gannet_daemon::net::{self, Stream};
use gannet_proto::MAX_MESSAGE;
use gannet_proto::node::node_client::NodeClient;
use hyper_util::rt::TokioIo;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use super::{NodeError, NodeHandle, NodeReads};

/// How long a connection may take, in seconds (Ganeti: rpc_connect), TLS and all: the kernel of a machine still answers when
/// nobody else does.
const CONNECT_TIMEOUT_S: u64 = 5;
/// A silent connection is probed this often, in seconds, so that a dead node is noticed within two of them.
const KEEP_ALIVE_S: u64 = 5;

/// Certificates for calling nodes.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The cluster's authority.
    pub ca: PathBuf,
    /// Certificate and key of the master role.
    pub master: PathBuf,
}

/// The connections to all nodes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Nodes {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tls: ClientTlsConfig,
    epoch: Epoch,
    channels: Mutex<HashMap<(NodeUuid, String), Channel>>,
}

impl Nodes {
    /// Reads the certificates.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn new(files: &TlsFiles, epoch: Epoch) -> std::io::Result<Self> {
        let ca = std::fs::read(&files.ca)?;
        let pair = std::fs::read(&files.master)?;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)).identity(Identity::from_pem(&pair, &pair));
        Ok(Self { inner: Arc::new(Inner { tls, epoch, channels: Mutex::new(HashMap::new()) }) })
    }

    /// A handle for calling `node`. Connects at the first call.
    ///
    /// # Errors
    /// [`NodeError::Offline`] for a node that is marked so; [`NodeError::Unreachable`] when its address is no address.
    pub fn handle(&self, node: &Node) -> Result<NodeHandle, NodeError> {
        if node.offline {
            return Err(NodeError::Offline { node: node.name.clone() });
        }
        self.handle_even_offline(node)
    }

    /// A handle for a node that is marked offline: only to see whether it is back.
    ///
    /// # Errors
    /// [`NodeError::Unreachable`] when its address is no address.
    pub fn handle_even_offline(&self, node: &Node) -> Result<NodeHandle, NodeError> {
        let channel = self.channel(node)?;
        let client = NodeClient::new(channel).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
        Ok(NodeHandle::new(node.name.clone(), node.uuid.clone(), client, self.inner.epoch, self.clone()))
    }

    /// The handle of a node of `config`.
    ///
    /// # Errors
    /// As [`Self::handle`]; a node that is not in the configuration is unreachable.
    pub fn by_uuid(&self, config: &Config, uuid: &NodeUuid) -> Result<NodeHandle, NodeError> {
        match config.node(uuid) {
            Some(node) => self.handle(node),
            None => Err(NodeError::Unreachable {
                // A UUID has the form of a host name.
                node: uuid.as_str().parse().expect("a UUID has only letters of host names"),
                reason: "it is not in the configuration (any more)".to_owned(),
            }),
        }
    }

    /// Only the calls that change nothing.
    ///
    /// # Errors
    /// As [`Self::handle`].
    pub fn reads(&self, node: &Node) -> Result<NodeReads, NodeError> {
        self.handle(node).map(NodeReads::new)
    }

    fn channel(&self, node: &Node) -> Result<Channel, NodeError> {
        let key = (node.uuid.clone(), node.primary_ip.clone());
        let mut channels = self.inner.channels.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(channel) = channels.get(&key) {
            return Ok(channel.clone());
        }
        let unreachable = |reason: String| NodeError::Unreachable { node: node.name.clone(), reason };
        let host = if node.primary_ip.contains(':') { format!("[{}]", node.primary_ip) } else { node.primary_ip.clone() };
        let endpoint = Endpoint::from_shared(format!("https://{host}:{NODED_PORT}"))
            .and_then(|endpoint| endpoint.tls_config(self.inner.tls.clone().domain_name(node.name.as_str())))
            .map_err(|error| unreachable(error.to_string()))?
            .connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S))
            .http2_keep_alive_interval(Duration::from_secs(KEEP_ALIVE_S))
            .keep_alive_timeout(Duration::from_secs(KEEP_ALIVE_S))
            // Otherwise the probes may not begin with the call that comes after a rest, and a node that stands still is waited
            // for until the call's own deadline.
            .keep_alive_while_idle(true);
        let ip: IpAddr = node.primary_ip.parse().map_err(|error: std::net::AddrParseError| unreachable(error.to_string()))?;
        let address = SocketAddr::new(ip, NODED_PORT);
        let channel = endpoint.connect_with_connector_lazy(tower::service_fn(move |_| connect(address)));
        channels.retain(|(uuid, _), _| *uuid != node.uuid);
        channels.insert(key, channel.clone());
        Ok(channel)
    }
}

/// The library's own connector counts only TCP's part against the time that a connection may take.
async fn connect(address: SocketAddr) -> std::io::Result<TokioIo<Stream>> {
    net::connect(address).await.map(TokioIo::new)
}
