//! From this member to the others: gRPC, with mutual TLS.

use std::future::Future;
use std::io::{self, Read};
use std::time::Duration;

use futures::StreamExt;
use gannet_daemon::net::{self, Stream};
use gannet_proto::state as pb;
use gannet_proto::state::raft_client::RaftClient;
use hyper_util::rt::TokioIo;
use openraft::error::{NetworkError, RemoteError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse};
use openraft::{ErrorVerb, OptionalSend};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tonic::Status;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use super::convert::{snapshot_meta, state, to_store};
use super::generation::Generation;
use super::outside::Answer;
use super::types::{Fatal, LogId, NodeId, Peer, RaftError, RpcError, Snapshot, SnapshotData, SnapshotMeta, Types, Vote};
use crate::MAX_MESSAGE_BYTES;
use crate::status::Member;
use crate::store::snapshot::SnapshotFile;

/// A member that does not answer the TCP or TLS handshake is taken for dead.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// The part of a snapshot in one message.
const CHUNK_BYTES: usize = 1 << 20;

/// How members reach each other.
#[derive(Debug, Clone)]
pub(crate) enum Transport {
    /// With certificates of the cluster's CA. The peer's certificate must be
    /// for its node name.
    Tls(Box<ClientTlsConfig>),
    /// In the clear: tests only.
    Plain,
}

#[derive(Clone)]
pub(crate) struct Network {
    transport: Transport,
    /// Told what others say of it; a program that only asks has none.
    generation: Option<Generation>,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Connection;

    async fn new_client(&mut self, target: NodeId, node: &Peer) -> Connection {
        let channel = connect(&self.transport, node).map_err(|error| crate::error_chain(&error));
        Connection {
            target,
            peer: node.clone(),
            generation: self.generation.clone(),
            rpc: channel.map(|channel| {
                RaftClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES).max_encoding_message_size(MAX_MESSAGE_BYTES)
            }),
        }
    }
}

impl Network {
    pub(crate) fn new(transport: Transport, generation: Option<Generation>) -> Self {
        Self { transport, generation }
    }

    /// Asks another member what it has.
    pub(crate) async fn probe(&self, peer: &Member, limit: Duration) -> Result<Answer, crate::Error> {
        let node = Peer { name: peer.name.clone(), address: peer.address.clone() };
        let connection = self.clone().new_client(peer.id, &node).await;
        let mut rpc = connection.rpc().map_err(crate::Error::unavailable)?;
        let asked = tokio::time::timeout(limit, rpc.probe(tonic::Request::new(pb::Payload::default()))).await;
        let answer = asked.map_err(|_| crate::Error::Timeout { limit })?;
        let answer = answer.map_err(|status| crate::Error::unavailable(crate::error_chain(&status)))?;
        serde_json::from_slice(&answer.into_inner().payload).map_err(crate::Error::unavailable)
    }

    /// Asks the leader to give up the lead.
    pub(super) async fn step_aside(&mut self, target: NodeId, peer: &Peer) -> Result<(), crate::Error> {
        let connection = self.new_client(target, peer).await;
        let mut rpc = connection.rpc().map_err(crate::Error::unavailable)?;
        let mut message = tonic::Request::new(pb::Payload::default());
        message.set_timeout(CONNECT_LIMIT);
        let asked = tokio::time::timeout(CONNECT_LIMIT, rpc.step_aside(message)).await;
        match asked {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(status)) => Err(crate::Error::unavailable(crate::error_chain(&status))),
            Err(_) => Err(crate::Error::Timeout { limit: CONNECT_LIMIT }),
        }
    }
}

fn connect(transport: &Transport, peer: &Peer) -> Result<Channel, tonic::transport::Error> {
    let scheme = match transport {
        Transport::Tls(_) => "https",
        Transport::Plain => "http",
    };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://{}", peer.address))?
        .connect_timeout(CONNECT_LIMIT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(5))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true);
    if let Transport::Tls(tls) = transport {
        endpoint = endpoint.tls_config((**tls).clone().domain_name(&peer.name))?;
    }
    let address = peer.address.clone();
    Ok(endpoint.connect_with_connector_lazy(tower::service_fn(move |_| dial(address.clone()))))
}

/// The library's own connector knows only the system's network.
async fn dial(address: String) -> io::Result<TokioIo<Stream>> {
    let address = address.parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let connected = tokio::time::timeout(CONNECT_LIMIT, net::connect(address)).await;
    connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map(TokioIo::new)
}

pub(super) struct Connection {
    target: NodeId,
    peer: Peer,
    generation: Option<Generation>,
    /// Or why the address makes no sense.
    rpc: Result<RaftClient<Channel>, String>,
}

/// An append request but for its entries.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AppendHead {
    pub(super) vote: Vote,
    pub(super) prev: Option<LogId>,
    pub(super) commit: Option<LogId>,
}

/// What comes before the bytes of a snapshot.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SnapshotHead {
    pub(super) vote: Vote,
    pub(super) meta: SnapshotMeta,
}

impl Connection {
    fn rpc(&self) -> Result<RaftClient<Channel>, Unreachable> {
        self.rpc.clone().map_err(|reason| self.unreachable(&reason))
    }

    fn unreachable(&self, reason: &str) -> Unreachable {
        let text = format!("member {} {}: {reason}", self.target, self.peer);
        Unreachable::new(&std::io::Error::other(text))
    }

    /// A peer that refuses or does not answer is left alone for a moment.
    fn failed(&self, status: &Status) -> RpcError {
        if let Some(generation) = &self.generation {
            generation.hear(status);
        }
        self.unreachable(&crate::error_chain(status)).into()
    }

    fn reply<T: DeserializeOwned>(&self, payload: &[u8]) -> Result<T, RpcError> {
        let result: Result<T, RaftError> = serde_json::from_slice(payload).map_err(|error| NetworkError::new(&error))?;
        result.map_err(|error| RemoteError::new_with_node(self.target, self.peer.clone(), error).into())
    }
}

impl RaftNetwork<Types> for Connection {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<NodeId>, RpcError> {
        let head = AppendHead { vote: request.vote, prev: request.prev_log_id, commit: request.leader_commit };
        let mut entries = Vec::with_capacity(request.entries.len());
        for entry in &request.entries {
            let entry = to_store(entry).map_err(|error| NetworkError::new(&error))?;
            entries.push(entry.to_wire());
        }
        let head = serde_json::to_vec(&head).map_err(|error| NetworkError::new(&error))?;
        let mut message = tonic::Request::new(pb::AppendRequest { head, entries });
        message.set_timeout(option.hard_ttl());
        let reply = self.rpc()?.append_entries(message).await;
        let reply = reply.map_err(|status| self.failed(&status))?;
        self.reply(&reply.into_inner().payload)
    }

    async fn vote(&mut self, request: VoteRequest<NodeId>, option: RPCOption) -> Result<VoteResponse<NodeId>, RpcError> {
        let payload = serde_json::to_vec(&request).map_err(|error| NetworkError::new(&error))?;
        let mut message = tonic::Request::new(pb::Payload { payload });
        message.set_timeout(option.hard_ttl());
        let reply = self.rpc()?.vote(message).await;
        let reply = reply.map_err(|status| self.failed(&status))?;
        self.reply(&reply.into_inner().payload)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<NodeId>, StreamingError<Types, Fatal>> {
        tokio::select! {
            closed = cancel => Err(closed.into()),
            sent = self.send_snapshot(vote, snapshot) => sent,
        }
    }
}

impl Connection {
    /// Sends the state as it is now, which may be newer than the snapshot that
    /// was asked for; its meta goes with it.
    async fn send_snapshot(&self, vote: Vote, snapshot: Snapshot) -> Result<SnapshotResponse<NodeId>, StreamingError<Types, Fatal>> {
        let copy = gannet_daemon::work::blocking(move || copy(snapshot)).await;
        let (file, meta) = copy.map_err(|panicked| NetworkError::new(&panicked))??;
        let head = serde_json::to_vec(&SnapshotHead { vote, meta }).map_err(|error| NetworkError::new(&error))?;
        let reader = std::fs::File::open(file.path());
        let reader = reader.map_err(|error| NetworkError::new(&error))?;
        let reply = self.rpc()?.install_snapshot(chunks(head, reader)).await;
        let reply = reply.map_err(|status| self.unreachable(&crate::error_chain(&status)))?;
        let result: Result<SnapshotResponse<NodeId>, Fatal> =
            serde_json::from_slice(&reply.into_inner().payload).map_err(|error| NetworkError::new(&error))?;
        result.map_err(|error| RemoteError::new_with_node(self.target, self.peer.clone(), error).into())
    }
}

fn copy(snapshot: Snapshot) -> Result<(SnapshotFile, SnapshotMeta), super::types::StorageError> {
    let failed = |error: crate::store::Error| state(ErrorVerb::Read, &error);
    let file = match *snapshot.snapshot {
        SnapshotData::Local(from) => from.copy_to_file().map_err(failed)?,
        SnapshotData::File(file) => file,
    };
    let meta = snapshot_meta(&file.progress().map_err(failed)?)?;
    Ok((file, meta))
}

/// The head, then the file. A file that cannot be read ends the stream early;
/// the receiver finds what it got not to be a database.
fn chunks(head: Vec<u8>, file: std::fs::File) -> impl futures::Stream<Item = pb::SnapshotChunk> + Send + 'static {
    let first = pb::SnapshotChunk { head, data: Vec::new() };
    let portion = |file: std::fs::File| {
        let mut data = Vec::with_capacity(CHUNK_BYTES);
        (&file).take(CHUNK_BYTES as u64).read_to_end(&mut data).map(|_| (data, file))
    };
    let rest = futures::stream::unfold(file, move |file| async move {
        let read = gannet_daemon::work::blocking(move || portion(file)).await;
        match read.unwrap_or_else(|panicked| Err(io::Error::other(panicked))) {
            Ok((data, _)) if data.is_empty() => None,
            Ok((data, file)) => {
                let head = Vec::new();
                Some((pb::SnapshotChunk { head, data }, file))
            }
            Err(error) => {
                tracing::warn!(%error, "cannot read the snapshot that is being sent");
                None
            }
        }
    });
    futures::stream::iter([first]).chain(rest)
}
