//! masterd's way to confd: gRPC on a UNIX socket of the same node.
//!
//! A client is cheap to clone; all clones share one connection, which is made
//! again by itself when confd was restarted.

mod follower;

pub use follower::{Event, Follower};

use std::path::{Path, PathBuf};
use std::time::Duration;

use gannet_proto::state::{self as pb, state_client::StateClient};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status as RpcStatus, Streaming};

use crate::MAX_MESSAGE_BYTES;
use crate::command::{Command, Key, Outcome, Row};
use crate::error::Error;
use crate::status::{Member, Role, Status};
use crate::wire_status;

/// How long a proposal may take: several elections.
const PROPOSE_LIMIT: Duration = Duration::from_secs(30);
/// How long a read may take.
const READ_LIMIT: Duration = Duration::from_secs(10);
/// How long a change of members may take: the new one catches up first.
const MEMBER_LIMIT: Duration = Duration::from_secs(300);

/// An applied proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// Where in the log. A mirror that has this index has the writes.
    pub index: u64,
    /// What happened.
    pub outcome: Outcome,
}

/// A connection to the confd of this node.
#[derive(Debug, Clone)]
pub struct Client {
    rpc: StateClient<Channel>,
}

impl Client {
    /// Connects to a socket (`$RUN_DIR/socket/gannet-confd`).
    ///
    /// # Errors
    /// [`Error::Unavailable`] when nothing listens there.
    pub async fn connect(socket: &Path) -> Result<Self, Error> {
        let path: PathBuf = socket.to_owned();
        let shown = socket.display().to_string();
        // The URI is required and not used: the connector knows the socket.
        let channel = Endpoint::from_static("http://confd.invalid")
            .connect_with_connector(tower::service_fn(move |_| {
                let path = path.clone();
                async move { UnixStream::connect(path).await.map(TokioIo::new) }
            }))
            .await
            .map_err(|error| {
                let cause = crate::error_chain(&error);
                Error::unavailable(format!("cannot connect to {shown}: {cause}"))
            })?;
        let rpc = StateClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES).max_encoding_message_size(MAX_MESSAGE_BYTES);
        Ok(Self { rpc })
    }

    /// Applies a command, and returns when it is durable and applied here.
    ///
    /// # Errors
    /// [`Error::NotLeader`] and [`Error::Unavailable`]: not applied.
    /// [`Error::Timeout`]: perhaps applied.
    pub async fn propose(&self, command: Command) -> Result<Proposed, Error> {
        let request = pb::ProposeRequest { command: Some(command.into()) };
        let mut rpc = self.rpc.clone();
        let reply = limited(PROPOSE_LIMIT, rpc.propose(request)).await?;
        let outcome = reply.outcome.ok_or_else(|| Error::invalid("confd answered without an outcome"))?;
        Ok(Proposed { index: reply.index, outcome: outcome.try_into()? })
    }

    /// All rows except archived jobs, then every change after them.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn follow(&self) -> Result<Follower, Error> {
        let mut rpc = self.rpc.clone();
        let stream = limited(READ_LIMIT, rpc.follow(pb::FollowRequest {})).await?;
        Ok(Follower::new(stream))
    }

    /// One row, as applied on this node (any kind).
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn get(&self, key: Key) -> Result<Option<Row>, Error> {
        let mut rpc = self.rpc.clone();
        let request = pb::GetRequest { key: Some(key.into()) };
        let reply = limited(READ_LIMIT, rpc.get(request)).await?;
        reply.row.map(Row::try_from).transpose()
    }

    /// At most `limit` rows of a kind with an id after `after`, in byte order
    /// of the id. The server returns 1,000 at most, and fewer when they are large;
    /// the end is an empty answer.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn list(&self, kind: &str, after: &str, limit: u32) -> Result<Vec<Row>, Error> {
        let mut rpc = self.rpc.clone();
        let request = pb::ListRequest { kind: kind.to_owned(), after: after.to_owned(), limit };
        let reply = limited(READ_LIMIT, rpc.list(request)).await?;
        reply.rows.into_iter().map(Row::try_from).collect()
    }

    /// The index a mirror must have for a linearizable read; also proof that
    /// this node leads now.
    ///
    /// # Errors
    /// [`Error::NotLeader`], [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn read_index(&self) -> Result<u64, Error> {
        let mut rpc = self.rpc.clone();
        let reply = limited(READ_LIMIT, rpc.read_index(pb::ReadIndexRequest {})).await?;
        Ok(reply.index)
    }

    /// What this member knows of itself and the group.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn status(&self) -> Result<Status, Error> {
        let mut rpc = self.rpc.clone();
        let reply = limited(READ_LIMIT, rpc.status(pb::StatusRequest {})).await?;
        reply.try_into()
    }

    /// The role now, and again whenever role, term or leader change.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn roles(&self) -> Result<Roles, Error> {
        let mut rpc = self.rpc.clone();
        let stream = limited(READ_LIMIT, rpc.watch_role(pb::WatchRoleRequest {})).await?;
        Ok(Roles { stream })
    }

    /// Adds a member as a learner, waits until it has caught up, and makes it
    /// a voter if `member.voter`. Repeating it is harmless. Leader only.
    ///
    /// # Errors
    /// [`Error::NotLeader`], [`Error::Unavailable`] when the new member cannot
    /// be reached or the group has no majority, [`Error::Timeout`].
    pub async fn add_member(&self, member: Member) -> Result<Vec<Member>, Error> {
        let mut rpc = self.rpc.clone();
        let request = pb::AddMemberRequest { member: Some(member.into()) };
        let reply = limited(MEMBER_LIMIT, rpc.add_member(request)).await?;
        Ok(reply.members.into_iter().map(Member::from).collect())
    }

    /// Removes a member. Repeating it is harmless. Leader only; the last voter
    /// cannot be removed.
    ///
    /// # Errors
    /// As [`Client::add_member`].
    pub async fn remove_member(&self, id: u64) -> Result<Vec<Member>, Error> {
        let mut rpc = self.rpc.clone();
        let request = pb::RemoveMemberRequest { id };
        let reply = limited(MEMBER_LIMIT, rpc.remove_member(request)).await?;
        Ok(reply.members.into_iter().map(Member::from).collect())
    }
}

impl Client {
    /// Makes this member the leader, by the will of an operator.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it does not vote, [`Error::Unavailable`] when no majority follows.
    pub async fn take_lead(&self) -> Result<(), Error> {
        let mut rpc = self.rpc.clone();
        limited(MEMBER_LIMIT, rpc.take_lead(pb::TakeLeadRequest {})).await.map(drop)
    }
}

/// The roles of this member, as they change.
#[derive(Debug)]
pub struct Roles {
    stream: Streaming<pb::Role>,
}

impl Roles {
    /// The next role; the first comes at once.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when confd went away.
    pub async fn next(&mut self) -> Result<Role, Error> {
        match self.stream.message().await {
            Ok(Some(role)) => Ok(role.into()),
            Ok(None) => Err(Error::unavailable("confd ended the stream")),
            Err(status) => Err(wire_status::decode(&status)),
        }
    }
}

/// Awaits an answer until a deadline; a call given up is cancelled on the server.
async fn limited<T>(limit: Duration, call: impl Future<Output = Result<tonic::Response<T>, RpcStatus>>) -> Result<T, Error> {
    match tokio::time::timeout(limit, call).await {
        Err(_elapsed) => Err(Error::Timeout { limit }),
        Ok(Ok(reply)) => Ok(reply.into_inner()),
        Ok(Err(status)) if status.code() == Code::DeadlineExceeded => Err(Error::Timeout { limit }),
        Ok(Err(status)) => Err(wire_status::decode(&status)),
    }
}
