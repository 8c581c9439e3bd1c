//! Between the store's types and the library's.

use openraft::{AnyError, CommittedLeaderId, EntryPayload, ErrorSubject, ErrorVerb};

use super::types::{Batch, Entry, LogId, Membership, SnapshotMeta, StorageError, StoredMembership};
use crate::store::entry::{self, Payload, Position};
use crate::store::state::Progress;

pub(super) fn log_id(at: Position) -> LogId {
    // The term alone names a leader (feature `single-term-leader`); the node
    // is ignored.
    LogId::new(CommittedLeaderId::new(at.term, 0), at.index)
}

pub(super) fn position(id: &LogId) -> Position {
    Position { index: id.index, term: id.leader_id.term }
}

fn pair(id: (u64, u64)) -> LogId {
    let (index, term) = id;
    log_id(Position { index, term })
}

pub(super) fn to_store(entry: &Entry) -> Result<entry::Entry, StorageError> {
    let payload = match &entry.payload {
        EntryPayload::Blank => Payload::Blank,
        EntryPayload::Normal(Batch(commands)) => Payload::Batch(commands.clone()),
        EntryPayload::Membership(membership) => {
            let text = serde_json::to_string(membership).map_err(|e| logs(ErrorVerb::Write, &e))?;
            Payload::Membership(text.into())
        }
    };
    let at = position(&entry.log_id);
    Ok(entry::Entry { at, payload })
}

pub(super) fn from_store(entry: entry::Entry) -> Result<Entry, StorageError> {
    let payload = match entry.payload {
        Payload::Blank => EntryPayload::Blank,
        Payload::Batch(commands) => EntryPayload::Normal(Batch(commands)),
        Payload::Membership(text) => {
            let membership = serde_json::from_str(&text).map_err(|e| logs(ErrorVerb::Read, &e))?;
            EntryPayload::Membership(membership)
        }
    };
    let log_id = log_id(entry.at);
    Ok(Entry { log_id, payload })
}

pub(super) fn applied(progress: &Progress) -> Result<(Option<LogId>, StoredMembership), StorageError> {
    let membership = match &progress.membership {
        None => StoredMembership::default(),
        Some((at, text)) => {
            let membership: Membership = serde_json::from_str(text).map_err(|e| state(ErrorVerb::Read, &e))?;
            StoredMembership::new(Some(pair(*at)), membership)
        }
    };
    Ok((progress.applied.map(pair), membership))
}

pub(super) fn snapshot_meta(progress: &Progress) -> Result<SnapshotMeta, StorageError> {
    let (last_log_id, last_membership) = applied(progress)?;
    let snapshot_id = match progress.applied {
        Some((index, term)) => format!("{term}-{index}"),
        None => "empty".to_owned(),
    };
    Ok(SnapshotMeta { last_log_id, last_membership, snapshot_id })
}

/// An error of the log.
pub(super) fn logs(verb: ErrorVerb, error: &dyn std::error::Error) -> StorageError {
    storage(ErrorSubject::Logs, verb, error)
}

/// An error of the state.
pub(super) fn state(verb: ErrorVerb, error: &dyn std::error::Error) -> StorageError {
    storage(ErrorSubject::StateMachine, verb, error)
}

fn storage(subject: ErrorSubject<u64>, verb: ErrorVerb, error: &dyn std::error::Error) -> StorageError {
    let source = AnyError::error(crate::error_chain(error));
    openraft::StorageIOError::new(subject, verb, source).into()
}
