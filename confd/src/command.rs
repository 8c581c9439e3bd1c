//! What can be asked of the store: conditions and writes on versioned rows.
//!
//! A row is `(kind, id)` with a JSON text and a revision. confd never looks
//! into the JSON, so the meaning of a command does not change between versions.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How many tokens of past commands are remembered for idempotency.
///
/// Far more than a client can have in flight while it waits for an answer.
pub const TOKENS_REMEMBERED: u64 = 65_536;

/// The kind of a row, as on disk: `instance`, `job`, `archive`, …
///
/// An open string: a member with older code still applies newer commands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kind(Arc<str>);

impl Kind {
    /// The cluster's own settings (one row).
    pub const CLUSTER: &'static str = "cluster";
    /// Nodes.
    pub const NODE: &'static str = "node";
    /// Node groups.
    pub const NODEGROUP: &'static str = "nodegroup";
    /// Instances.
    pub const INSTANCE: &'static str = "instance";
    /// Disks.
    pub const DISK: &'static str = "disk";
    /// Networks.
    pub const NETWORK: &'static str = "network";
    /// Job filter rules.
    pub const FILTER: &'static str = "filter";
    /// Jobs of the queue.
    pub const JOB: &'static str = "job";
    /// Archived jobs: never in a dump, read with `get` and `list`.
    pub const ARCHIVE: &'static str = "archive";
    /// Counters and flags of the store's users.
    pub const META: &'static str = "meta";

    /// A kind from its name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name, as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether rows of this kind are left out of dumps and follower streams.
    pub fn is_archive(&self) -> bool {
        self.as_str() == Self::ARCHIVE
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Kind {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// The name of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// What it is.
    pub kind: Kind,
    /// Which one: unique within the kind.
    pub id: String,
}

impl Key {
    /// `kind/id`.
    pub fn new(kind: impl Into<Kind>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// What must hold of a row before the command for its writes to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Expect {
    /// There is no such row.
    Absent,
    /// The row exists with exactly this revision.
    Rev(u64),
    /// The row exists.
    Exists,
}

impl Expect {
    /// Whether a row with this revision (`None`: no row) is as expected.
    pub fn holds(self, found: Option<u64>) -> bool {
        match self {
            Self::Absent => found.is_none(),
            Self::Rev(rev) => found == Some(rev),
            Self::Exists => found.is_some(),
        }
    }
}

/// A condition of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The row looked at, as it was before the command.
    pub key: Key,
    /// What must hold.
    pub expect: Expect,
}

/// One write of a command. Writes see those before them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// Creates the row (revision 1) or replaces it (revision + 1).
    Put {
        /// The row.
        key: Key,
        /// Its new JSON text; not checked.
        json: String,
    },
    /// Deletes the row; one that is not there stays so.
    Delete {
        /// The row.
        key: Key,
    },
    /// Renames a row, keeping its text: `job/7` → `archive/7`. A `from` that
    /// does not exist is a conflict; a `to` that exists is replaced.
    Move {
        /// The row that goes.
        from: Key,
        /// The row that comes.
        to: Key,
    },
}

/// A transaction: applied whole or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Names this attempt. A command with a token that was seen before (among
    /// the last [`TOKENS_REMEMBERED`]) does nothing and returns the first
    /// outcome. [`Outcome::Deposed`] is not remembered: nothing was looked at.
    pub token: Option<String>,
    /// The Raft term in which the proposer became master.
    pub epoch: u64,
    /// All must hold, or nothing is written.
    pub conditions: Vec<Condition>,
    /// Done in order.
    pub writes: Vec<Write>,
}

impl Command {
    /// An empty command of this epoch.
    pub fn new(epoch: u64) -> Self {
        Self { epoch, ..Self::default() }
    }

    /// With a token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// With a condition.
    pub fn expect(mut self, key: Key, expect: Expect) -> Self {
        self.conditions.push(Condition { key, expect });
        self
    }

    /// With a put.
    pub fn put(mut self, key: Key, json: impl Into<String>) -> Self {
        self.writes.push(Write::Put { key, json: json.into() });
        self
    }

    /// With a delete.
    pub fn delete(mut self, key: Key) -> Self {
        self.writes.push(Write::Delete { key });
        self
    }

    /// With a move.
    pub fn rename(mut self, from: Key, to: Key) -> Self {
        self.writes.push(Write::Move { from, to });
        self
    }
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// All writes happened.
    Applied {
        /// For each write, the revision of the row it made; 0 for a delete.
        revs: Vec<u64>,
    },
    /// A condition did not hold; nothing happened.
    Conflict {
        /// The row.
        key: Key,
        /// Its revision; `None`: it does not exist.
        found: Option<u64>,
    },
    /// The proposer's epoch is over: there has been a leader of this later
    /// term. Nothing happened, and the proposer must stop being master.
    Deposed {
        /// The term that replaced it.
        term: u64,
    },
}

/// A stored row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub key: Key,
    /// Starts at 1, grows by one with each put.
    pub rev: u64,
    /// Its text.
    pub json: String,
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowChange {
    /// The row is now this.
    Put(Row),
    /// The row is gone.
    Deleted(Key),
}

/// All that one log entry did to the rows that are followed.
///
/// There is one for every index, also for entries that changed nothing, so
/// indexes of a stream have no gap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The log index.
    pub index: u64,
    /// In order; a row may occur more than once, the last one counts.
    pub changes: Vec<RowChange>,
}
