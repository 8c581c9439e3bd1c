//! The state service on the UNIX socket: what masterd asks.

mod follow;

use std::pin::Pin;

use futures::Stream;
use gannet_proto::state::{self as pb, state_server::State as StateService};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status as RpcStatus};

use crate::command::{Command, Key};
use crate::error::Error;
use crate::proposer::Proposer;
use crate::raft::{Consensus, Node};
use crate::status::{Member, Status};
use crate::store;
use crate::store::state::State;
use crate::wire_status::encode;

/// Rows of one list.
const LIST_ROWS: u32 = 1000;
/// Bytes of one list or portion of a dump.
const PORTION_BYTES: usize = 256 << 10;

/// The service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) node: Node,
    pub(crate) proposer: Proposer,
    /// True once streams are to end.
    pub(crate) stopping: watch::Receiver<bool>,
}

type Events<T> = Pin<Box<dyn Stream<Item = Result<T, RpcStatus>> + Send>>;

#[tonic::async_trait]
impl StateService for Server {
    type FollowStream = Events<pb::FollowEvent>;
    type WatchRoleStream = Events<pb::Role>;

    async fn propose(&self, request: Request<pb::ProposeRequest>) -> Result<Response<pb::ProposeReply>, RpcStatus> {
        let command = request.into_inner().command;
        let command = command.ok_or_else(|| invalid("no command"))?;
        let command = Command::try_from(command).map_err(|error| encode(&error))?;
        gannet_daemon::fault::point("before a transaction");
        let proposed = self.proposer.propose(command).await;
        gannet_daemon::fault::point("after a transaction");
        let proposed = proposed.map_err(|error| encode(&error))?;
        Ok(Response::new(pb::ProposeReply { index: proposed.index, outcome: Some(proposed.outcome.into()) }))
    }

    async fn follow(&self, _request: Request<pb::FollowRequest>) -> Result<Response<Self::FollowStream>, RpcStatus> {
        // A small queue: portions are large, and changes wait elsewhere.
        let (sender, receiver) = mpsc::channel(4);
        let state = self.node.state().clone();
        tokio::spawn(follow::run(state, sender, self.stopping.clone()));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn get(&self, request: Request<pb::GetRequest>) -> Result<Response<pb::GetReply>, RpcStatus> {
        let key = request.into_inner().key.map(Key::from);
        let key = key.ok_or_else(|| invalid("no key"))?;
        let row = self.read(move |state| state.get(&key)).await?;
        Ok(Response::new(pb::GetReply { row: row.map(Into::into) }))
    }

    async fn list(&self, request: Request<pb::ListRequest>) -> Result<Response<pb::ListReply>, RpcStatus> {
        let pb::ListRequest { kind, after, limit } = request.into_inner();
        let limit = limit.min(LIST_ROWS) as usize;
        let rows = self.read(move |state| state.list(&kind, &after, limit, PORTION_BYTES));
        Ok(Response::new(pb::ListReply { rows: rows.await?.into_iter().map(Into::into).collect() }))
    }

    async fn read_index(&self, _request: Request<pb::ReadIndexRequest>) -> Result<Response<pb::ReadIndexReply>, RpcStatus> {
        let index = self.node.read_index().await;
        let index = index.map_err(|error| encode(&error))?;
        Ok(Response::new(pb::ReadIndexReply { index }))
    }

    async fn status(&self, _request: Request<pb::StatusRequest>) -> Result<Response<pb::StatusReply>, RpcStatus> {
        let view = self.node.view();
        let (log_bytes, state_bytes) = self.node.file_bytes();
        let status = Status {
            role: *self.node.role().borrow(),
            last_log: view.last_log,
            applied: view.applied,
            snapshot: view.snapshot,
            log_bytes,
            state_bytes,
            members: view.members,
            silence: view.silence,
        };
        Ok(Response::new(status.into()))
    }

    async fn watch_role(&self, _request: Request<pb::WatchRoleRequest>) -> Result<Response<Self::WatchRoleStream>, RpcStatus> {
        let (sender, receiver) = mpsc::channel(4);
        let (roles, stopping) = (self.node.role(), self.stopping.clone());
        tokio::spawn(follow::roles(roles, sender, stopping));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn add_member(&self, request: Request<pb::AddMemberRequest>) -> Result<Response<pb::MembersReply>, RpcStatus> {
        let member = request.into_inner().member.map(Member::from);
        let member = member.filter(|member| member.id != 0 && !member.address.is_empty());
        let member = member.ok_or_else(|| invalid("a member needs an id above 0 and an address"))?;
        // In a task: a caller that goes away does not leave the change half done.
        let node = self.node.clone();
        let members = tokio::spawn(async move { node.add_member(member).await });
        reply(members.await)
    }

    async fn take_lead(&self, _request: Request<pb::TakeLeadRequest>) -> Result<Response<pb::TakeLeadReply>, RpcStatus> {
        self.node.take_lead().await.map_err(|error| encode(&error))?;
        Ok(Response::new(pb::TakeLeadReply {}))
    }

    async fn remove_member(&self, request: Request<pb::RemoveMemberRequest>) -> Result<Response<pb::MembersReply>, RpcStatus> {
        let id = request.into_inner().id;
        let node = self.node.clone();
        let members = tokio::spawn(async move { node.remove_member(id).await });
        reply(members.await)
    }
}

impl Server {
    async fn read<T: Send + 'static>(&self, read: impl FnOnce(&State) -> store::Result<T> + Send + 'static) -> Result<T, RpcStatus> {
        let state = self.node.state().clone();
        let done = gannet_daemon::work::blocking(move || read(&state)).await;
        let done = done.map_err(|panicked| encode(&Error::unavailable(panicked)))?;
        done.map_err(|error| encode(&Error::unavailable(crate::error_chain(&error))))
    }
}

fn reply(members: Result<Result<Vec<Member>, Error>, tokio::task::JoinError>) -> Result<Response<pb::MembersReply>, RpcStatus> {
    let members = members.map_err(|panicked| encode(&Error::unavailable(panicked)))?;
    let members = members.map_err(|error| encode(&error))?;
    Ok(Response::new(pb::MembersReply { members: members.into_iter().map(Into::into).collect() }))
}

fn invalid(reason: &str) -> RpcStatus {
    encode(&Error::invalid(reason))
}
