//! The master's view of the replicated state: a mirror in memory, and transactions.
//!
//! Reads are of an immutable [`State`]; they never wait. A write is one command of confd: it applies whole or not at all,
//! and the mirror has it before the writer goes on.

mod change;
mod mirror;

use std::sync::Arc;

use gannet_confd::command::{Command, Expect, Key, Kind, Outcome, Row};
use gannet_core::config::{Config, ObjectKind};
use gannet_core::error::{STATE_UNAVAILABLE, WireError};
use gannet_core::id::Epoch;
use imbl::OrdMap;
use tokio::sync::watch;

pub(crate) use change::stamp;
pub use change::{Change, Changes, Precondition};
pub use mirror::Lost;

/// A consistent picture of the cluster at one index of the log.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Log index.
    pub index: u64,
    /// All configuration objects.
    pub config: Config,
    /// Revision of each row, for compare-and-set. Jobs and archived jobs are not in here.
    pub revs: OrdMap<(ObjectKind, String), u64>,
    /// Other small rows: drain flag, watcher pause, join tokens, counters.
    pub meta: OrdMap<String, Arc<str>>,
}

/// Why a write was not done.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// An object is not as the writer had seen it.
    #[error("{0}")]
    Conflict(String),
    /// confd did not accept the write in time; whether it will be applied later is unknown.
    #[error("{0}")]
    Unavailable(String),
    /// Another master has taken over.
    #[error("{0}")]
    Deposed(String),
}

impl From<&CommitError> for WireError {
    fn from(error: &CommitError) -> Self {
        let class = match error {
            CommitError::Conflict(_) => "GenericError",
            CommitError::Unavailable(_) | CommitError::Deposed(_) => STATE_UNAVAILABLE,
        };
        Self::new(class, format!("Cannot write to the state store: {error}"))
    }
}

/// An object of `state` as JSON.
#[must_use]
pub fn current(state: &State, kind: ObjectKind, id: &str) -> Option<serde_json::Value> {
    let object = state.config.object(kind, id)?;
    object.to_json().ok().and_then(|json| serde_json::from_str(&json).ok())
}

/// A raw write of a row that is not configuration (jobs, meta).
#[derive(Debug, Clone)]
pub enum RawWrite {
    /// Put a row, on a condition.
    Put { key: Key, json: String, expect: Option<Expect> },
    /// Delete a row; nothing happens when it is not there.
    Delete { key: Key },
    /// Move a row to another kind.
    Move { from: Key, to: Key },
}

/// One transaction.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    /// Configuration changes, as complete rows: kind, id, JSON or `None` for removal, and what is expected there.
    pub config: Vec<(ObjectKind, String, Option<String>, Option<Expect>)>,
    /// Other rows.
    pub raw: Vec<RawWrite>,
    /// Makes a repeated submission the same one.
    pub token: Option<String>,
}

/// What a transaction did.
#[derive(Debug, Clone)]
pub struct Committed {
    /// Its log index.
    pub index: u64,
}

/// A handle on the state. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    client: gannet_confd::client::Client,
    state: watch::Receiver<Arc<State>>,
    epoch: Epoch,
    /// Revision of the row that says which life of a master daemon may write; none: this one may not.
    session: Option<u64>,
}

/// The epoch of nobody: the store takes no writes under it, and nodes do nothing.
pub(crate) const READER: Epoch = Epoch(0);

/// The row that each life of a master daemon writes first, and that each of its writes expects unchanged.
const SESSION: &str = "master-session";

impl Store {
    /// Connects to confd, reads everything, and follows from then on. Also gives the job rows as they are now: only this
    /// master writes them, so they are not mirrored any further.
    ///
    /// A daemon that was killed may have left writes on their way in confd; they carry the same epoch as ours. So that none of them
    /// comes after what is read here, the session is written first: writes of an earlier one do not apply any more.
    ///
    /// # Errors
    /// When confd cannot be reached or is not the leader.
    pub async fn open(client: gannet_confd::client::Client, epoch: Epoch, lost: Lost) -> Result<(Self, Vec<Row>), gannet_confd::Error> {
        let begin = Command::new(epoch.0).put(session_key(), serde_json::json!({"epoch": epoch.0}).to_string());
        let session = match client.propose(begin).await?.outcome {
            Outcome::Applied { revs } => revs.first().copied().unwrap_or_default(),
            Outcome::Conflict { .. } | Outcome::Deposed { .. } => return Err(gannet_confd::Error::NotLeader { leader: None }),
        };
        let (state, jobs) = mirror::start(&client, lost).await?;
        Ok((Self { client, state, epoch, session: Some(session) }, jobs))
    }

    /// Reads everything, and follows from then on, on any member of the group. Nothing can be written.
    ///
    /// # Errors
    /// When confd cannot be reached.
    pub async fn read_only(client: gannet_confd::client::Client, lost: Lost) -> Result<Self, gannet_confd::Error> {
        let (state, _) = mirror::start(&client, lost).await?;
        Ok(Self { client, state, epoch: READER, session: None })
    }

    /// The newest state.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.state.borrow().clone()
    }

    /// A receiver that tells of every change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<State>> {
        self.state.clone()
    }

    /// The epoch under which this master writes and calls nodes.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The client of confd, for rows that are not mirrored.
    #[must_use]
    pub fn client(&self) -> &gannet_confd::client::Client {
        &self.client
    }

    /// Writes `transaction`. When it changes configuration, returns after [`Self::state`] shows it.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn commit(&self, transaction: Transaction) -> Result<Committed, CommitError> {
        let Some(session) = self.session else {
            return Err(CommitError::Deposed("this is a copy of the state, which only the master changes".to_owned()));
        };
        let touches_mirror = !transaction.config.is_empty() || transaction.raw.iter().any(RawWrite::is_meta);
        let command = self.command(transaction, session);
        let unavailable = |error: gannet_confd::Error| match error {
            gannet_confd::Error::Timeout { .. } => CommitError::Unavailable(format!("{error}; whether it is written is not known")),
            error => CommitError::Unavailable(error.to_string()),
        };
        let proposed = self.client.propose(command).await.map_err(unavailable)?;
        match proposed.outcome {
            Outcome::Applied { .. } => {}
            Outcome::Conflict { key, .. } if key == session_key() => {
                return Err(CommitError::Deposed("another life of the master daemon has begun since".to_owned()));
            }
            Outcome::Conflict { key, found } => {
                let found = found.map_or_else(|| "is gone".to_owned(), |rev| format!("is at revision {rev}"));
                return Err(CommitError::Conflict(format!("{key} was changed by another job meanwhile: it {found}")));
            }
            Outcome::Deposed { term } => return Err(CommitError::Deposed(format!("another master acts since term {term}"))),
        }
        if touches_mirror {
            self.wait_for(proposed.index).await?;
        }
        Ok(Committed { index: proposed.index })
    }

    /// Waits until the mirror has reached `index`.
    pub(crate) async fn wait_for(&self, index: u64) -> Result<(), CommitError> {
        let mut state = self.state.clone();
        state
            .wait_for(|state| state.index >= index)
            .await
            .map(|_| ())
            .map_err(|_| CommitError::Unavailable("the stream of changes from confd ended".to_owned()))
    }

    fn command(&self, transaction: Transaction, session: u64) -> Command {
        let mut command = Command::new(self.epoch.0).expect(session_key(), Expect::Rev(session));
        command.token = transaction.token;
        for (kind, id, json, expect) in transaction.config {
            let key = Key::new(kind.as_str(), id);
            if let Some(expect) = expect {
                command = command.expect(key.clone(), expect);
            }
            command = match json {
                Some(json) => command.put(key, json),
                None => command.delete(key),
            };
        }
        for write in transaction.raw {
            command = match write {
                RawWrite::Put { key, json, expect } => match expect {
                    Some(expect) => command.expect(key.clone(), expect).put(key, json),
                    None => command.put(key, json),
                },
                RawWrite::Delete { key } => command.delete(key),
                RawWrite::Move { from, to } => command.rename(from, to),
            };
        }
        command
    }
}

fn session_key() -> Key {
    Key::new(Kind::META, SESSION)
}

impl RawWrite {
    fn is_meta(&self) -> bool {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key.kind.as_str() == Kind::META,
            Self::Move { .. } => false,
        }
    }
}
