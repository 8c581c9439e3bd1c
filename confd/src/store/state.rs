//! The state on disk: rows, remembered tokens, and how far the log was applied.
//!
//! One transaction per batch of entries holds all of that, so a crash leaves
//! the state as it was after some entry.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::{Deserialize, Serialize};

use super::entry::{Entry, Payload, Position};
use super::followers::{Changes, Followers};
use super::log::lock;
use super::rows::{self, SCHEMA, SqlRows};
use super::sqlite::{self, Checkpointer, Sync};
use super::{Error, Result};
use crate::command::{Change, Key, Outcome, Row, RowChange};
use crate::state;

/// How far the state is, and the group as of then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The last entry that was applied: (index, term).
    pub(crate) applied: Option<(u64, u64)>,
    /// The entry of the last membership, and the library's own text of it.
    pub(crate) membership: Option<((u64, u64), Arc<str>)>,
}

/// The state. Clones are the same state.
#[derive(Clone)]
pub(crate) struct State(Arc<Inner>);

pub(super) struct Inner {
    pub(super) path: PathBuf,
    pub(super) writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    checkpointer: Mutex<Checkpointer>,
    followers: Followers,
}

impl State {
    /// Opens or creates the state of a data directory.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let path = dir.join("state.db");
        let writer = sqlite::open(&path, Sync::Normal, SCHEMA)?;
        Ok(Self(Arc::new(Inner {
            writer: Mutex::new(writer),
            reader: Mutex::new(sqlite::open_reader(&path)?),
            checkpointer: Mutex::new(Checkpointer::start(&path)?),
            followers: Followers::default(),
            path,
        })))
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    /// How far the state is.
    pub(crate) fn progress(&self) -> Result<Progress> {
        self.read(|db| get_json(db, "progress")).map(Option::unwrap_or_default)
    }

    /// Bytes on disk.
    pub(crate) fn file_bytes(&self) -> u64 {
        sqlite::bytes_on_disk(&self.0.path)
    }

    /// Applies entries, and returns the outcomes of the commands in each.
    pub(crate) fn apply(&self, entries: &[Entry]) -> Result<Vec<Vec<Outcome>>> {
        let mut db = lock(&self.0.writer);
        let done = apply(&mut db, entries).map_err(Error::sqlite(&self.0.path))?;
        drop(db);
        let bytes = entries.iter().map(Entry::weight).sum::<usize>();
        // Each entry rewrites some whole pages.
        lock(&self.0.checkpointer).committed(2 * bytes + entries.len() * 8192);
        let mut outcomes = Vec::with_capacity(done.len());
        for (entry, applied) in entries.iter().zip(done) {
            outcomes.push(applied.outcomes);
            if !self.0.followers.is_empty() {
                self.0.followers.publish(Change { index: entry.at.index, changes: applied.changes });
            }
        }
        Ok(outcomes)
    }

    /// One row.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<Row>> {
        self.read(|db| rows::row(db, key))
    }

    /// Rows of a kind; see [`rows::list`].
    pub(crate) fn list(&self, kind: &str, after: &str, limit: usize, bytes: usize) -> Result<Vec<Row>> {
        self.read(|db| rows::list(db, kind, after, limit, bytes))
    }

    /// A place in the stream of changes, from now on.
    pub(crate) fn subscribe(&self) -> Changes {
        self.0.followers.subscribe()
    }

    /// Sends all followers away, to dump again.
    pub(super) fn restart_followers(&self) {
        self.0.followers.restart_all();
    }

    /// Gives all rows but the archived to `each`, in portions of about `bytes`,
    /// from one consistent state, and returns its index. Ends early when `each`
    /// says false.
    pub(crate) fn dump(&self, bytes: usize, each: impl FnMut(Vec<Row>) -> bool) -> Result<u64> {
        let mut db = sqlite::open_reader(&self.0.path)?;
        dump(&mut db, bytes, each).map_err(Error::sqlite(&self.0.path))
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        read(&lock(&self.0.reader)).map_err(Error::sqlite(&self.0.path))
    }
}

struct Applied {
    outcomes: Vec<Outcome>,
    changes: Vec<RowChange>,
}

fn apply(db: &mut Connection, entries: &[Entry]) -> rusqlite::Result<Vec<Applied>> {
    let tx = sqlite::write(db)?;
    let mut progress: Progress = get_json(&tx, "progress")?.unwrap_or_default();
    let mut done = Vec::with_capacity(entries.len());
    for entry in entries {
        done.push(apply_one(&tx, entry, &mut progress)?);
    }
    set_json(&tx, "progress", &progress)?;
    tx.commit()?;
    Ok(done)
}

fn apply_one(tx: &Transaction<'_>, entry: &Entry, progress: &mut Progress) -> rusqlite::Result<Applied> {
    let Position { index, term } = entry.at;
    // Raft gives each entry once and in order. Applying one again would do
    // its writes twice.
    assert!(progress.applied.is_none_or(|(last, _)| last < index), "entry {index} is to be applied after {:?}", progress.applied);
    progress.applied = Some((index, term));
    let mut applied = Applied { outcomes: Vec::new(), changes: Vec::new() };
    match &entry.payload {
        Payload::Blank => {}
        Payload::Membership(text) => progress.membership = Some(((index, term), text.clone())),
        Payload::Batch(commands) => {
            for command in commands.iter() {
                let (outcome, edits) = state::apply(&mut SqlRows(tx), term, command)?;
                applied.outcomes.push(outcome);
                applied.changes.extend(edits);
            }
        }
    }
    applied.changes.retain(|change| match change {
        RowChange::Put(row) => !row.key.kind.is_archive(),
        RowChange::Deleted(key) => !key.kind.is_archive(),
    });
    Ok(applied)
}

fn dump(db: &mut Connection, bytes: usize, mut each: impl FnMut(Vec<Row>) -> bool) -> rusqlite::Result<u64> {
    const ROWS: usize = 512;
    // All reads of one transaction see one state.
    let tx = db.transaction()?;
    let progress: Progress = get_json(&tx, "progress")?.unwrap_or_default();
    let index = progress.applied.map_or(0, |(index, _)| index);
    for kind in rows::kinds(&tx)? {
        if crate::Kind::new(kind.as_str()).is_archive() {
            continue;
        }
        let mut after = String::new();
        loop {
            let portion = rows::list(&tx, &kind, &after, ROWS, bytes)?;
            match portion.last() {
                Some(last) => after.clone_from(&last.key.id),
                None => break,
            }
            if !each(portion) {
                return Ok(index);
            }
        }
    }
    Ok(index)
}

pub(super) fn get_json<T: for<'a> Deserialize<'a>>(db: &Connection, name: &str) -> rusqlite::Result<Option<T>> {
    let text: Option<String> =
        db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()?;
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(|error| {
        let text = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(0, text, Box::new(error))
    })
}

pub(super) fn set_json<T: Serialize>(db: &Connection, name: &str, value: &T) -> rusqlite::Result<()> {
    let text = serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    db.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?.execute([name, &text])?;
    Ok(())
}
