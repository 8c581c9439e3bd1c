//! How our databases are opened, and their checkpoints.
//!
//! Both databases use a write-ahead log (WAL). A commit appends to it; with
//! `synchronous=FULL` it is one fdatasync. Copying the WAL back into the
//! database costs two more, so it happens in a thread of its own.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use gannet_daemon::world::{Mistake, makes};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{Error, Result};

/// A checkpoint is asked for after about this many bytes were committed.
/// Small, because the WAL is also what a start has to read.
const CHECKPOINT_BYTES: usize = 4 << 20;

/// Above this many pages (16 MiB) a checkpoint holds the writer up for its last
/// part, so that the WAL starts over; else it would grow for as long as the
/// load lasts.
const WAL_PAGES_HARD: i64 = 4096;

/// How long such a checkpoint waits for readers, and the writer for it.
const RESTART_WAIT: Duration = Duration::from_millis(100);

/// How long a connection waits for another one of this process. A checkpoint
/// on a slow disk is the longest.
const BUSY: Duration = Duration::from_secs(30);

/// Page cache of each connection: the working set is small, and confd must be.
const CACHE_KIB: i64 = 1024;

/// How much a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// A loss of power.
    Full,
    /// A crash of the process only; after a loss of power the database is
    /// as it was some commits before.
    Normal,
}

/// Opens for writing, creates if need be.
pub(crate) fn open(path: &Path, sync: Sync, schema: &str) -> Result<Connection> {
    let wrap = |source| Error::Sqlite { path: path.to_owned(), source };
    // SQLite gives its other files the mode of this one: secrets are inside.
    let mut private = OpenOptions::new();
    private.write(true).create(true).truncate(false).mode(0o600);
    private.open(path).map_err(Error::io(path))?;
    let db = Connection::open(path).map_err(wrap)?;
    set_up(&db, sync).map_err(wrap)?;
    db.execute_batch(schema).map_err(wrap)?;
    Ok(db)
}

/// Opens for reading.
pub(crate) fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(Error::sqlite(path))?;
    db.busy_timeout(BUSY).map_err(Error::sqlite(path))?;
    db.pragma_update(None, "cache_size", -CACHE_KIB).map_err(Error::sqlite(path))?;
    Ok(db)
}

fn set_up(db: &Connection, sync: Sync) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    let sync = match sync {
        Sync::Full if makes(Mistake::NoSync) => "OFF",
        Sync::Full => "FULL",
        Sync::Normal => "NORMAL",
    };
    db.pragma_update(None, "synchronous", sync)?;
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    // Keep the file of the WAL when it starts over: writing where there
    // already are blocks is the cheaper fdatasync.
    db.pragma_update(None, "journal_size_limit", -1)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    db.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Begins to write. Waits for a checkpoint that holds writers up; a transaction
/// that has already read something would fail there instead of waiting.
pub(crate) fn write(db: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    db.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// The file of the WAL of a database.
pub(crate) fn wal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Bytes of a database and its WAL.
pub(crate) fn bytes_on_disk(path: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    size(path) + size(&wal_path(path))
}

/// Asks for checkpoints of one database; the thread ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    worker: Worker,
    since_last: usize,
}

#[derive(Debug)]
enum Worker {
    Thread(SyncSender<()>),
    /// In a simulated world: at once.
    Here(Connection, PathBuf),
}

impl Checkpointer {
    pub(crate) fn start(path: &Path) -> Result<Self> {
        let db = Connection::open(path).map_err(Error::sqlite(path))?;
        db.busy_timeout(RESTART_WAIT).map_err(Error::sqlite(path))?;
        if gannet_daemon::world::get().is_some() {
            return Ok(Self { worker: Worker::Here(db, path.to_owned()), since_last: 0 });
        }
        // One wake-up that waits is as good as many.
        let (wake, woken) = sync_channel(1);
        let shown = path.to_owned();
        std::thread::Builder::new().name("checkpoint".to_owned()).spawn(move || run(&db, &woken, &shown)).map_err(Error::io(path))?;
        Ok(Self { worker: Worker::Thread(wake), since_last: 0 })
    }

    /// Tells of a commit.
    pub(crate) fn committed(&mut self, bytes: usize) {
        self.since_last += bytes;
        if self.since_last < CHECKPOINT_BYTES {
            return;
        }
        match &self.worker {
            Worker::Thread(wake) => match wake.try_send(()) {
                Ok(()) => self.since_last = 0,
                // Busy with the one before, or gone with the database.
                Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
            },
            Worker::Here(db, path) => {
                self.since_last = 0;
                try_checkpoint(db, path);
            }
        }
    }
}

fn run(db: &Connection, woken: &Receiver<()>, path: &Path) {
    while woken.recv().is_ok() {
        try_checkpoint(db, path);
    }
}

fn try_checkpoint(db: &Connection, path: &Path) {
    if let Err(error) = checkpoint(db) {
        tracing::warn!(path = %path.display(), %error, "checkpoint failed, will be tried again");
    }
}

fn checkpoint(db: &Connection) -> rusqlite::Result<()> {
    let pages = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(1));
    // Without load, the next commit finds all copied, and starts over.
    if pages("PRAGMA wal_checkpoint(PASSIVE)")? > WAL_PAGES_HARD {
        // Does what it can if there is a reader; the next one tries again.
        pages("PRAGMA wal_checkpoint(RESTART)")?;
    }
    Ok(())
}

/// Gives a new WAL the size it will have between checkpoints: a commit that
/// makes the file grow costs the disk more than one that writes in place.
pub(crate) fn preallocate(db: &Connection, path: &Path) -> Result<()> {
    let size = std::fs::metadata(wal_path(path)).map_or(0, |meta| meta.len());
    if size >= CHECKPOINT_BYTES as u64 {
        return Ok(());
    }
    let fill = format!(
        "CREATE TABLE filler (filler BLOB);
         INSERT INTO filler VALUES (ZEROBLOB({CHECKPOINT_BYTES}));
         DROP TABLE filler;"
    );
    db.execute_batch(&fill).map_err(Error::sqlite(path))?;
    checkpoint_all(db).map_err(Error::sqlite(path))
}

fn checkpoint_all(db: &Connection) -> rusqlite::Result<()> {
    db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))
}
