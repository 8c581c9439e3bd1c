//! The library's types with ours in them.

use std::fmt;
use std::sync::Arc;

use openraft::TokioRuntime;
use serde::{Deserialize, Serialize};

use crate::command::{Command, Outcome};
use crate::store::snapshot::SnapshotFile;
use crate::store::state::State;

pub(super) type NodeId = u64;

openraft::declare_raft_types!(
    /// Everything generic in the library, made concrete.
    pub(super) Types:
        D = Batch,
        R = Outcomes,
        NodeId = NodeId,
        Node = Peer,
        Entry = openraft::Entry<Types>,
        SnapshotData = SnapshotData,
        AsyncRuntime = TokioRuntime,
);

pub(super) type Raft = openraft::Raft<Types>;
pub(super) type Entry = openraft::Entry<Types>;
pub(super) type LogId = openraft::LogId<NodeId>;
pub(super) type Vote = openraft::Vote<NodeId>;
pub(super) type Membership = openraft::Membership<NodeId, Peer>;
pub(super) type StoredMembership = openraft::StoredMembership<NodeId, Peer>;
pub(super) type SnapshotMeta = openraft::SnapshotMeta<NodeId, Peer>;
pub(super) type Snapshot = openraft::Snapshot<Types>;
pub(super) type StorageError = openraft::StorageError<NodeId>;
pub(super) type RaftError<E = openraft::error::Infallible> = openraft::error::RaftError<NodeId, E>;
pub(super) type RpcError = openraft::error::RPCError<NodeId, Peer, RaftError>;
pub(super) type Fatal = openraft::error::Fatal<NodeId>;

/// Commands of one entry. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Batch(pub(super) Arc<Vec<Command>>);

/// The outcomes of a batch; empty for other entries.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Outcomes(pub(super) Vec<Outcome>);

/// What the group knows of a member, to reach it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) address: String,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.address)
    }
}

/// A snapshot on its way.
pub(super) enum SnapshotData {
    /// The local state; copied when it is sent.
    Local(State),
    /// A copy that was received.
    File(SnapshotFile),
}

impl fmt::Debug for SnapshotData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(_) => f.write_str("Local"),
            Self::File(file) => write!(f, "File({})", file.path().display()),
        }
    }
}
