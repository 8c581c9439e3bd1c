//! Snapshots: points up to which the log is no longer needed.
//!
//! The state database is its own snapshot: taking one means writing down how
//! far it is and syncing it. A copy in a file is made only when a member needs
//! it, from whatever the state is then.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::log::lock;
use super::sqlite;
use super::state::{Progress, State, get_json, set_json};
use super::{Error, Result};

/// A file that is deleted with the value.
#[derive(Debug)]
pub(crate) struct SnapshotFile {
    path: PathBuf,
}

impl SnapshotFile {
    /// A path for a snapshot that is being received.
    pub(crate) fn incoming(dir: &Path) -> Self {
        Self { path: dir.join("snapshot.incoming") }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How far the state in it is.
    pub(crate) fn progress(&self) -> Result<Progress> {
        let db = sqlite::open_reader(&self.path)?;
        let progress = get_json(&db, "progress").map_err(Error::sqlite(&self.path))?;
        progress.ok_or_else(|| Error::damaged(&self.path, "a snapshot without progress"))
    }
}

impl Drop for SnapshotFile {
    fn drop(&mut self) {
        // Left over, it is replaced by the next one.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl State {
    /// The last snapshot, if there was one.
    pub(crate) fn snapshot(&self) -> Result<Option<Progress>> {
        let db = lock(&self.inner().writer);
        get_json(&db, "snapshot").map_err(Error::sqlite(&self.inner().path))
    }

    /// Makes the state durable as it is, and returns how far that is.
    pub(crate) fn take_snapshot(&self) -> Result<Progress> {
        let path = &self.inner().path;
        let progress = {
            let mut db = lock(&self.inner().writer);
            mark(&mut db).map_err(Error::sqlite(path))?
        };
        // Commits are in the WAL. What a checkpoint has moved from there into
        // the database was synced by it.
        let wal = sqlite::wal_path(path);
        let file = File::open(&wal).map_err(Error::io(&wal))?;
        file.sync_data().map_err(Error::io(&wal))?;
        Ok(progress)
    }

    /// A copy of the state as it is now, in a file.
    pub(crate) fn copy_to_file(&self) -> Result<SnapshotFile> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("snapshot.outgoing.{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let path = self.inner().path.with_file_name(name);
        let _ = std::fs::remove_file(&path);
        let file = SnapshotFile { path };
        let db = sqlite::open_reader(&self.inner().path)?;
        db.execute("VACUUM INTO ?1", [file.path.to_string_lossy()]).map_err(Error::sqlite(&file.path))?;
        Ok(file)
    }

    /// Replaces the whole state by a copy, at once or not at all.
    pub(crate) fn install(&self, file: &SnapshotFile) -> Result<Progress> {
        let progress = file.progress()?;
        {
            let mut db = lock(&self.inner().writer);
            replace(&mut db, &file.path).map_err(Error::sqlite(&file.path))?;
        }
        self.restart_followers();
        self.take_snapshot()?;
        Ok(progress)
    }
}

fn mark(db: &mut Connection) -> rusqlite::Result<Progress> {
    let tx = sqlite::write(db)?;
    let progress: Progress = get_json(&tx, "progress")?.unwrap_or_default();
    set_json(&tx, "snapshot", &progress)?;
    tx.commit()?;
    Ok(progress)
}

fn replace(db: &mut Connection, from: &Path) -> rusqlite::Result<()> {
    db.execute("ATTACH ?1 AS incoming", [from.to_string_lossy()])?;
    let result = copy_all(db);
    let detached = db.execute_batch("DETACH incoming");
    result.and(detached)
}

fn copy_all(db: &mut Connection) -> rusqlite::Result<()> {
    let tx = sqlite::write(db)?;
    tx.execute_batch(
        "DELETE FROM main.row; DELETE FROM main.token; DELETE FROM main.meta;
         INSERT INTO main.row (kind, id, rev, json)
             SELECT kind, id, rev, json FROM incoming.row ORDER BY kind, id;
         INSERT INTO main.token (seq, token, outcome)
             SELECT seq, token, outcome FROM incoming.token ORDER BY seq;
         INSERT INTO main.meta (name, value) SELECT name, value FROM incoming.meta;",
    )?;
    tx.commit()
}
