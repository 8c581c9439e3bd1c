//! What a member says of itself and of the group.

use std::fmt;
use std::time::Duration;

/// A leader that no majority has answered for so long refuses to write.
pub const NO_MAJORITY: Duration = Duration::from_secs(4);

/// A member of the Raft group: a master candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its number: unique for ever, never reused for another node.
    pub id: u64,
    /// The node's name, checked against its TLS certificate.
    pub name: String,
    /// `host:port` of its Raft port.
    pub address: String,
    /// Whether it votes; a member that does not is a learner.
    pub voter: bool,
    /// How many entries it is behind; known by the leader only.
    pub lag: Option<u64>,
    /// Term of the newest entry that it is known to have; known by the leader only.
    pub term: Option<u64>,
}

/// What this member is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleKind {
    /// Takes proposals; its node is the master.
    Leader,
    /// Follows a leader.
    Follower,
    /// Asks for votes.
    Candidate,
    /// Receives entries, does not vote.
    Learner,
    /// Raft has stopped, mostly because the disk failed.
    Stopped,
}

impl RoleKind {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Candidate => "candidate",
            Self::Learner => "learner",
            Self::Stopped => "stopped",
        }
    }

    /// From the wire; what is not known counts as stopped.
    pub fn parse(text: &str) -> Self {
        match text {
            "leader" => Self::Leader,
            "follower" => Self::Follower,
            "candidate" => Self::Candidate,
            "learner" => Self::Learner,
            _ => Self::Stopped,
        }
    }
}

impl fmt::Display for RoleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The role of a member in its term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// This member.
    pub id: u64,
    /// What it is.
    pub kind: RoleKind,
    /// The Raft term: the epoch of a master on this node.
    pub term: u64,
    /// The leader, if one is known.
    pub leader: Option<u64>,
}

impl Role {
    /// Whether this member leads.
    pub fn is_leader(&self) -> bool {
        self.kind == RoleKind::Leader
    }
}

/// Everything an operator may want to know of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Role, term, leader.
    pub role: Role,
    /// Last entry in the log.
    pub last_log: u64,
    /// Last entry applied to the state.
    pub applied: u64,
    /// The state is known to be durable up to this entry.
    pub snapshot: u64,
    /// Bytes of the log database and its write-ahead log.
    pub log_bytes: u64,
    /// Bytes of the state database and its write-ahead log.
    pub state_bytes: u64,
    /// The group, by id.
    pub members: Vec<Member>,
    /// How long no majority has answered this leader; `None` where that is nothing to wait for.
    pub silence: Option<Duration>,
}
