//! Between our types and those of `state.proto`.
//!
//! The same encoding is used on the sockets and in the log, so a field may be
//! added but never given another meaning.

use std::time::Duration;

use gannet_proto::state as pb;

use crate::command::{Change, Command, Condition, Expect, Key, Outcome, Row, RowChange, Write};
use crate::error::Error;
use crate::status::{Member, Role, RoleKind, Status};

fn missing(what: &str) -> Error {
    Error::invalid(format!("message without {what}"))
}

fn key_from(key: Option<pb::Key>) -> Result<Key, Error> {
    key.map(Key::from).ok_or_else(|| missing("a key"))
}

impl From<Key> for pb::Key {
    fn from(key: Key) -> Self {
        Self { kind: key.kind.as_str().to_owned(), id: key.id }
    }
}

impl From<pb::Key> for Key {
    fn from(key: pb::Key) -> Self {
        Self::new(key.kind.as_str(), key.id)
    }
}

impl From<Row> for pb::Row {
    fn from(row: Row) -> Self {
        Self { key: Some(row.key.into()), rev: row.rev, json: row.json }
    }
}

impl TryFrom<pb::Row> for Row {
    type Error = Error;

    fn try_from(row: pb::Row) -> Result<Self, Error> {
        Ok(Self { key: key_from(row.key)?, rev: row.rev, json: row.json })
    }
}

impl From<Condition> for pb::Condition {
    fn from(condition: Condition) -> Self {
        use pb::condition::Expect as E;
        Self {
            key: Some(condition.key.into()),
            expect: Some(match condition.expect {
                Expect::Absent => E::Absent(true),
                Expect::Rev(rev) => E::Rev(rev),
                Expect::Exists => E::Exists(true),
            }),
        }
    }
}

impl TryFrom<pb::Condition> for Condition {
    type Error = Error;

    fn try_from(condition: pb::Condition) -> Result<Self, Error> {
        use pb::condition::Expect as E;
        Ok(Self {
            key: key_from(condition.key)?,
            expect: match condition.expect.ok_or_else(|| missing("an expectation"))? {
                E::Absent(_) => Expect::Absent,
                E::Rev(rev) => Expect::Rev(rev),
                E::Exists(_) => Expect::Exists,
            },
        })
    }
}

impl From<Write> for pb::Write {
    fn from(write: Write) -> Self {
        use pb::write::Write as W;
        let write = match write {
            Write::Put { key, json } => W::Put(pb::Put { key: Some(key.into()), json }),
            Write::Delete { key } => W::Delete(pb::Delete { key: Some(key.into()) }),
            Write::Move { from, to } => W::Move(pb::Move { from: Some(from.into()), to: Some(to.into()) }),
        };
        Self { write: Some(write) }
    }
}

impl TryFrom<pb::Write> for Write {
    type Error = Error;

    fn try_from(write: pb::Write) -> Result<Self, Error> {
        use pb::write::Write as W;
        Ok(match write.write.ok_or_else(|| missing("a known write"))? {
            W::Put(put) => Self::Put { key: key_from(put.key)?, json: put.json },
            W::Delete(delete) => Self::Delete { key: key_from(delete.key)? },
            W::Move(rename) => Self::Move { from: key_from(rename.from)?, to: key_from(rename.to)? },
        })
    }
}

impl From<Command> for pb::Command {
    fn from(command: Command) -> Self {
        Self {
            token: command.token.unwrap_or_default(),
            epoch: command.epoch,
            conditions: command.conditions.into_iter().map(Into::into).collect(),
            writes: command.writes.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<pb::Command> for Command {
    type Error = Error;

    fn try_from(command: pb::Command) -> Result<Self, Error> {
        Ok(Self {
            token: (!command.token.is_empty()).then_some(command.token),
            epoch: command.epoch,
            conditions: all(command.conditions)?,
            writes: all(command.writes)?,
        })
    }
}

fn all<A, B: TryFrom<A, Error = Error>>(items: Vec<A>) -> Result<Vec<B>, Error> {
    items.into_iter().map(B::try_from).collect()
}

impl From<Outcome> for pb::Outcome {
    fn from(outcome: Outcome) -> Self {
        use pb::outcome::Outcome as O;
        let outcome = match outcome {
            Outcome::Applied { revs } => O::Applied(pb::Applied { revs }),
            Outcome::Conflict { key, found } => O::Conflict(pb::Conflict { key: Some(key.into()), found: found.unwrap_or(0) }),
            Outcome::Deposed { term } => O::Deposed(pb::Deposed { term }),
        };
        Self { outcome: Some(outcome) }
    }
}

impl TryFrom<pb::Outcome> for Outcome {
    type Error = Error;

    fn try_from(outcome: pb::Outcome) -> Result<Self, Error> {
        use pb::outcome::Outcome as O;
        Ok(match outcome.outcome.ok_or_else(|| missing("an outcome"))? {
            O::Applied(applied) => Self::Applied { revs: applied.revs },
            O::Conflict(conflict) => {
                Self::Conflict { key: key_from(conflict.key)?, found: (conflict.found != 0).then_some(conflict.found) }
            }
            O::Deposed(deposed) => Self::Deposed { term: deposed.term },
        })
    }
}

impl From<Change> for pb::Change {
    fn from(change: Change) -> Self {
        let changes = change.changes.into_iter().map(|change| match change {
            RowChange::Put(row) => pb::RowChange { key: None, row: Some(row.into()) },
            RowChange::Deleted(key) => pb::RowChange { key: Some(key.into()), row: None },
        });
        Self { index: change.index, changes: changes.collect() }
    }
}

impl TryFrom<pb::Change> for Change {
    type Error = Error;

    fn try_from(change: pb::Change) -> Result<Self, Error> {
        let changes = change.changes.into_iter().map(|change| match change.row {
            Some(row) => row.try_into().map(RowChange::Put),
            None => key_from(change.key).map(RowChange::Deleted),
        });
        Ok(Self { index: change.index, changes: changes.collect::<Result<_, _>>()? })
    }
}

impl From<Member> for pb::Member {
    fn from(member: Member) -> Self {
        Self { id: member.id, name: member.name, address: member.address, voter: member.voter, lag: member.lag, term: member.term }
    }
}

impl From<pb::Member> for Member {
    fn from(member: pb::Member) -> Self {
        Self { id: member.id, name: member.name, address: member.address, voter: member.voter, lag: member.lag, term: member.term }
    }
}

impl From<Role> for pb::Role {
    fn from(role: Role) -> Self {
        Self { id: role.id, role: role.kind.as_str().to_owned(), term: role.term, leader: role.leader.unwrap_or(0) }
    }
}

impl From<pb::Role> for Role {
    fn from(role: pb::Role) -> Self {
        Self { id: role.id, kind: RoleKind::parse(&role.role), term: role.term, leader: (role.leader != 0).then_some(role.leader) }
    }
}

impl From<Status> for pb::StatusReply {
    fn from(status: Status) -> Self {
        Self {
            role: Some(status.role.into()),
            last_log: status.last_log,
            applied: status.applied,
            snapshot: status.snapshot,
            log_bytes: status.log_bytes,
            state_bytes: status.state_bytes,
            members: status.members.into_iter().map(Into::into).collect(),
            silence_ms: status.silence.map(|silence| u64::try_from(silence.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

impl TryFrom<pb::StatusReply> for Status {
    type Error = Error;

    fn try_from(status: pb::StatusReply) -> Result<Self, Error> {
        Ok(Self {
            role: status.role.ok_or_else(|| missing("a role"))?.into(),
            last_log: status.last_log,
            applied: status.applied,
            snapshot: status.snapshot,
            log_bytes: status.log_bytes,
            state_bytes: status.state_bytes,
            members: status.members.into_iter().map(Into::into).collect(),
            silence: status.silence_ms.map(Duration::from_millis),
        })
    }
}
