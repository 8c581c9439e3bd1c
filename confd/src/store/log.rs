//! The Raft log on disk.
//!
//! Entries are readable from memory from the moment they are handed over;
//! they are acknowledged when they are on disk.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gannet_daemon::world::{Mistake, makes};
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::entry::{Entry, Position};
use super::sqlite::{self, Checkpointer, Sync};
use super::writer::{Done, Job, Op, Writer};
use super::{Error, Result};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS log (idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, entry BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

/// Entries on disk are kept in memory up to this many bytes: those that are
/// about to be applied or sent to a follower that keeps up.
const CACHE_BYTES: usize = 1 << 20;

/// One read returns about this many bytes at most: what fits in a message.
const READ_BYTES: usize = 4 << 20;

/// The log. Clones are the same log.
#[derive(Clone)]
pub(crate) struct Log {
    jobs: UnboundedSender<Job>,
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    tail: Mutex<Tail>,
    reader: Mutex<Connection>,
}

/// What is known of the log without reading it.
#[derive(Debug, Default)]
struct Tail {
    purged: Option<Position>,
    last: Option<Position>,
    vote: Option<String>,
    /// Bytes of the entries that are not purged.
    bytes: usize,
    /// The newest entries, without a gap, up to `last`.
    recent: VecDeque<Entry>,
    recent_bytes: usize,
    /// Entries after this one must stay in `recent`.
    on_disk: u64,
}

impl Log {
    /// Opens or creates the log of a data directory.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let path = dir.join("log.db");
        let db = sqlite::open(&path, Sync::Full, SCHEMA)?;
        sqlite::preallocate(&db, &path)?;
        let tail = load(&db, &path)?;
        let writer = Writer { checkpointer: Checkpointer::start(&path)?, db, path: path.clone(), broken: None };
        let (jobs, queue) = unbounded_channel();
        writer.start(queue)?;
        let shared = Shared { reader: Mutex::new(sqlite::open_reader(&path)?), tail: Mutex::new(tail), path };
        Ok(Self { jobs, shared: Arc::new(shared) })
    }

    /// The last purged and the last entry (that is purged, if there is none).
    pub(crate) fn ends(&self) -> (Option<Position>, Option<Position>) {
        let tail = self.tail();
        (tail.purged, tail.last)
    }

    /// The last vote that was written.
    pub(crate) fn vote(&self) -> Option<String> {
        self.tail().vote.clone()
    }

    /// Bytes of all entries that are kept.
    pub(crate) fn entry_bytes(&self) -> usize {
        self.tail().bytes
    }

    /// Bytes on disk.
    pub(crate) fn file_bytes(&self) -> u64 {
        sqlite::bytes_on_disk(&self.shared.path)
    }

    /// Appends entries. They can be read at once; `done` is called when they
    /// are on disk.
    pub(crate) fn append(&self, entries: Vec<Entry>, done: impl FnOnce(Result<()>) + Send + 'static) {
        let Some(last) = entries.last().map(|entry| entry.at.index) else {
            return done(Ok(()));
        };
        self.tail().append(&entries);
        let shared = Arc::clone(&self.shared);
        self.submit(
            Op::Append(entries),
            Box::new(move |result| {
                gannet_daemon::fault::point("a durable entry that is not applied");
                if result.is_ok() {
                    lock(&shared.tail).flushed(last);
                }
                done(result);
            }),
        );
    }

    /// Writes the vote.
    pub(crate) async fn save_vote(&self, vote: String) -> Result<()> {
        if !makes(Mistake::VoteForgotten) {
            self.wait(Op::Vote(vote.clone())).await?;
        }
        self.tail().vote = Some(vote);
        Ok(())
    }

    /// Deletes the entries from `since` on.
    pub(crate) async fn truncate(&self, since: u64) -> Result<()> {
        let before = match since.checked_sub(1) {
            Some(index) => self.position(index).await?,
            None => None,
        };
        self.tail().truncate(since, before);
        self.wait(Op::Truncate(since)).await
    }

    /// Deletes the entries up to and with this one.
    pub(crate) async fn purge(&self, upto: Position) -> Result<()> {
        self.wait(Op::Purge(upto)).await?;
        let bytes = self.blocking(kept_bytes).await?;
        self.tail().purge(upto, bytes);
        Ok(())
    }

    /// The entries of `start..end`, fewer at the end if they are many bytes.
    pub(crate) async fn read(&self, start: u64, end: u64) -> Result<Vec<Entry>> {
        let from_disk = {
            let tail = self.tail();
            match tail.in_memory(start, end) {
                Some(entries) => return Ok(entries),
                // What is not on disk yet is in memory; ask for it next time.
                None => end.min(tail.recent.front().map_or(end, |first| first.at.index)),
            }
        };
        let mut entries = self.blocking(move |db| select(db, start, from_disk)).await?;
        // Otherwise it was cut short for its bytes.
        let complete = entries.last().is_none_or(|last: &Entry| last.at.index + 1 == from_disk);
        if complete && let Some(more) = self.tail().in_memory(from_disk, end) {
            entries.extend(more);
        }
        Ok(entries)
    }

    async fn position(&self, index: u64) -> Result<Option<Position>> {
        let purged = self.tail().purged.filter(|at| at.index == index);
        if purged.is_some() {
            return Ok(purged);
        }
        Ok(self.read(index, index + 1).await?.first().map(|e| e.at))
    }

    /// Runs a read on the reader's connection, off the runtime's threads.
    async fn blocking<T: Send + 'static>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        let task = gannet_daemon::work::blocking(move || read(&lock(&shared.reader)).map_err(Error::sqlite(&shared.path)));
        task.await.map_err(|error| Error::Stopped { reason: error.to_string() })?
    }

    async fn wait(&self, op: Op) -> Result<()> {
        let (done, waiting) = tokio::sync::oneshot::channel();
        // The receiver is gone only if this future was dropped.
        self.submit(op, Box::new(move |result| drop(done.send(result))));
        waiting.await.unwrap_or_else(|_| Err(stopped()))
    }

    fn submit(&self, op: Op, done: Done) {
        if let Err(back) = self.jobs.send(Job { op, done }) {
            (back.0.done)(Err(stopped()));
        }
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        lock(&self.shared.tail)
    }
}

fn stopped() -> Error {
    Error::Stopped { reason: "its thread is gone".to_owned() }
}

/// A panic while holding one of our locks cannot leave the data half changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tail {
    fn append(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.recent_bytes += entry.weight();
            self.bytes += entry.weight();
            self.last = Some(entry.at);
            self.recent.push_back(entry.clone());
        }
    }

    fn flushed(&mut self, upto: u64) {
        self.on_disk = self.on_disk.max(upto);
        while self.recent_bytes > CACHE_BYTES
            && self.recent.front().is_some_and(|e| e.at.index <= self.on_disk)
            && let Some(entry) = self.recent.pop_front()
        {
            self.recent_bytes -= entry.weight();
        }
    }

    fn truncate(&mut self, since: u64, before: Option<Position>) {
        while self.recent.back().is_some_and(|e| e.at.index >= since)
            && let Some(entry) = self.recent.pop_back()
        {
            self.recent_bytes -= entry.weight();
            self.bytes = self.bytes.saturating_sub(entry.weight());
        }
        self.on_disk = self.on_disk.min(since.saturating_sub(1));
        self.last = before.or(self.purged);
    }

    fn purge(&mut self, upto: Position, bytes: usize) {
        while self.recent.front().is_some_and(|e| e.at.index <= upto.index)
            && let Some(entry) = self.recent.pop_front()
        {
            self.recent_bytes -= entry.weight();
        }
        self.bytes = bytes;
        self.purged = Some(upto);
        self.last = self.last.max(Some(upto));
    }

    /// `None` unless the first one is in memory.
    fn in_memory(&self, start: u64, end: u64) -> Option<Vec<Entry>> {
        let first = self.recent.front()?.at.index;
        let skip = usize::try_from(start.checked_sub(first)?).ok()?;
        let mut bytes = 0;
        let entries = self.recent.iter().skip(skip).take_while(|entry| {
            let fits = bytes < READ_BYTES;
            bytes += entry.weight();
            fits && entry.at.index < end
        });
        Some(entries.cloned().collect())
    }
}

fn load(db: &Connection, path: &Path) -> Result<Tail> {
    let wrap = |source| Error::Sqlite { path: path.to_owned(), source };
    let purged = meta(db, "purged").map_err(wrap)?;
    let purged = purged.map(|text| parse(&text).ok_or_else(|| Error::damaged(path, text)));
    let purged = purged.transpose()?;
    let last = db
        .query_row("SELECT idx, term FROM log ORDER BY idx DESC LIMIT 1", [], |row| {
            let (index, term) = (row.get(0)?, row.get(1)?);
            Ok(Position { index, term })
        })
        .optional()
        .map_err(wrap)?;
    Ok(Tail {
        purged,
        last: last.or(purged),
        vote: meta(db, "vote").map_err(wrap)?,
        bytes: kept_bytes(db).map_err(wrap)?,
        on_disk: last.map_or(0, |at| at.index),
        ..Tail::default()
    })
}

fn parse(text: &str) -> Option<Position> {
    let (index, term) = text.split_once(' ')?;
    Some(Position { index: index.parse().ok()?, term: term.parse().ok()? })
}

fn meta(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()
}

fn kept_bytes(db: &Connection) -> rusqlite::Result<usize> {
    db.query_row("SELECT COALESCE(SUM(LENGTH(entry)), 0) FROM log", [], |row| row.get(0))
}

pub(super) fn select(db: &Connection, start: u64, end: u64) -> rusqlite::Result<Vec<Entry>> {
    let mut rows = db.prepare_cached("SELECT entry FROM log WHERE idx >= ?1 AND idx < ?2 ORDER BY idx")?;
    let mut rows = rows.query([start, end])?;
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()?
        && bytes < READ_BYTES
    {
        let encoded = row.get_ref(0)?.as_blob()?;
        bytes += encoded.len();
        let entry = Entry::decode(encoded)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(error)))?;
        entries.push(entry);
    }
    Ok(entries)
}
