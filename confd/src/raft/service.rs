//! From the other members to this one.

use std::io::Write;

use gannet_proto::state as pb;
use gannet_proto::state::raft_server::{Raft as RaftService, RaftServer};
use openraft::raft::{AppendEntriesRequest, VoteRequest};
use serde::Serialize;
use tokio::sync::Mutex;
use tonic::{Request, Response, Status, Streaming};

use super::convert::{from_store, snapshot_meta};
use super::network::{AppendHead, SnapshotHead};
use super::node::Node;
use super::types::{NodeId, Raft, Snapshot, SnapshotData, Vote};
use crate::MAX_MESSAGE_BYTES;
use crate::store::entry::Entry;

/// The Raft service of a member, to be mounted on its port.
pub(crate) fn service(node: &Node) -> RaftServer<Service> {
    let service = Service { raft: node.raft().clone(), node: node.clone(), receiving: Mutex::new(()) };
    RaftServer::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES).max_encoding_message_size(MAX_MESSAGE_BYTES)
}

pub(crate) struct Service {
    raft: Raft,
    node: Node,
    /// One snapshot at a time: they share a file.
    receiving: Mutex<()>,
}

#[tonic::async_trait]
impl RaftService for Service {
    async fn append_entries(&self, request: Request<pb::AppendRequest>) -> Result<Response<pb::AppendReply>, Status> {
        let request = request.into_inner();
        let head: AppendHead = parse(&request.head)?;
        self.admit(&head.vote)?;
        let mut entries = Vec::with_capacity(request.entries.len());
        for entry in request.entries {
            let entry = Entry::from_wire(entry).map_err(|e| invalid(&e))?;
            entries.push(from_store(entry).map_err(|e| invalid(&e))?);
        }
        let request = AppendEntriesRequest { vote: head.vote, prev_log_id: head.prev, leader_commit: head.commit, entries };
        let payload = encode(&self.raft.append_entries(request).await)?;
        Ok(Response::new(pb::AppendReply { payload }))
    }

    async fn vote(&self, request: Request<pb::Payload>) -> Result<Response<pb::Payload>, Status> {
        let request: VoteRequest<NodeId> = parse(&request.into_inner().payload)?;
        self.admit(&request.vote)?;
        let payload = encode(&self.raft.vote(request).await)?;
        Ok(Response::new(pb::Payload { payload }))
    }

    async fn probe(&self, _request: Request<pb::Payload>) -> Result<Response<pb::Payload>, Status> {
        let payload = encode(&self.node.answer())?;
        Ok(Response::new(pb::Payload { payload }))
    }

    async fn step_aside(&self, _request: Request<pb::Payload>) -> Result<Response<pb::Payload>, Status> {
        self.node.step_aside();
        Ok(Response::new(pb::Payload::default()))
    }

    async fn install_snapshot(&self, request: Request<Streaming<pb::SnapshotChunk>>) -> Result<Response<pb::Payload>, Status> {
        let _one_at_a_time = self.receiving.lock().await;
        let mut chunks = request.into_inner();
        let first = chunks.message().await?;
        let first = first.ok_or_else(|| Status::invalid_argument("a snapshot without a head"))?;
        let head: SnapshotHead = parse(&first.head)?;
        self.admit(&head.vote)?;
        let snapshot = self.receive(chunks).await?;
        if snapshot.meta.last_log_id != head.meta.last_log_id {
            return Err(Status::data_loss("the snapshot is not the one that was announced"));
        }
        let result = self.raft.install_full_snapshot(head.vote, snapshot).await;
        let payload = encode(&result)?;
        Ok(Response::new(pb::Payload { payload }))
    }
}

impl Service {
    /// Refuses members of another group.
    fn admit(&self, vote: &Vote) -> Result<(), Status> {
        let (term, empty) = {
            let metrics = self.raft.metrics();
            let now = metrics.borrow();
            (now.current_term, now.current_term == 0 && now.last_log_index.is_none())
        };
        self.node.generation().admit(vote.leader_id.term, term, empty).map_err(|status| *status)
    }

    async fn receive(&self, mut chunks: Streaming<pb::SnapshotChunk>) -> Result<Snapshot, Status> {
        let data = self.raft.begin_receiving_snapshot().await;
        let data = *data.map_err(|error| Status::unavailable(error.to_string()))?;
        let SnapshotData::File(file) = data else {
            return Err(Status::internal("a snapshot is received into a file"));
        };
        let mut writer = std::fs::File::create(file.path())?;
        while let Some(chunk) = chunks.message().await? {
            let written = gannet_daemon::work::blocking(move || writer.write_all(&chunk.data).map(|()| writer)).await;
            writer = written.map_err(|panicked| Status::internal(panicked.to_string()))??;
        }
        // What was received is checked by reading it; it needs no sync,
        // because installing copies it into the state.
        let progress = file.progress().map_err(|error| invalid(&error))?;
        let meta = snapshot_meta(&progress).map_err(|error| invalid(&error))?;
        let snapshot = Box::new(SnapshotData::File(file));
        Ok(Snapshot { meta, snapshot })
    }
}

fn parse<T: for<'a> serde::Deserialize<'a>>(bytes: &[u8]) -> Result<T, Status> {
    serde_json::from_slice(bytes).map_err(|error| invalid(&error))
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, Status> {
    serde_json::to_vec(value).map_err(|error| Status::internal(error.to_string()))
}

fn invalid(error: &dyn std::error::Error) -> Status {
    Status::invalid_argument(crate::error_chain(error))
}
