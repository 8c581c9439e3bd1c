//! A copy as it is on disk, while no confd or another process uses it; and how it is made the only one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension};

use super::entry::{Entry, Payload, Position};
use super::sqlite::{self, Sync};
use super::state::{Progress, get_json};
use super::{Error, Result};

/// What a copy has.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    /// The library's own text.
    pub(crate) vote: Option<String>,
    /// The last entry.
    pub(crate) last: Option<Position>,
    /// The members, in the library's own text.
    pub(crate) membership: Option<Arc<str>>,
    /// When the state last changed.
    pub(crate) changed: Option<SystemTime>,
}

/// Entries are looked through in portions.
const PORTION: u64 = 64;

/// Looks at a copy without changing it.
pub(crate) fn look(dir: &Path) -> Result<Copy> {
    let (log, state) = paths(dir);
    for path in [&log, &state] {
        std::fs::metadata(path).map_err(Error::io(path))?;
    }
    let db = sqlite::open_reader(&state)?;
    let progress: Progress = get_json(&db, "progress").map_err(Error::sqlite(&state))?.unwrap_or_default();
    let db = sqlite::open_reader(&log)?;
    let mut copy = look_at_log(&db, &progress).map_err(Error::sqlite(&log))?;
    let written = [sqlite::wal_path(&state), state].map(|path| std::fs::metadata(path).ok()?.modified().ok());
    copy.changed = written.into_iter().flatten().max();
    Ok(copy)
}

fn paths(dir: &Path) -> (PathBuf, PathBuf) {
    (dir.join("log.db"), dir.join("state.db"))
}

fn look_at_log(db: &Connection, progress: &Progress) -> rusqlite::Result<Copy> {
    let meta = |name: &str| db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get::<_, String>(0)).optional();
    let position = |row: &rusqlite::Row<'_>| Ok(Position { index: row.get(0)?, term: row.get(1)? });
    let last = db.query_row("SELECT idx, term FROM log ORDER BY idx DESC LIMIT 1", [], position).optional()?;
    let applied = progress.applied.map(|(index, term)| Position { index, term });
    let mut membership = progress.membership.as_ref().map(|(_, text)| Arc::clone(text));
    // Members may have changed by entries that are not applied yet.
    let mut start = applied.map_or(0, |at| at.index + 1);
    let end = last.map_or(0, |at| at.index + 1);
    while start < end {
        for entry in super::log::select(db, start, end.min(start + PORTION))? {
            if let Payload::Membership(text) = entry.payload {
                membership = Some(text);
            }
        }
        start += PORTION;
    }
    Ok(Copy { vote: meta("vote")?, last: last.max(applied), membership, changed: None })
}

/// Appends `membership` to the log, as the first entry of `term`, and writes the vote. All that the copy has is kept, also what
/// nobody has acknowledged yet: it may have been acknowledged elsewhere.
pub(crate) fn rewrite(dir: &Path, term: u64, membership: &str, vote: &str) -> Result<Position> {
    let last = look(dir)?.last;
    let (path, _) = paths(dir);
    let mut db = sqlite::open(&path, Sync::Full, "")?;
    append(&mut db, last, term, membership, vote).map_err(Error::sqlite(&path))
}

fn append(db: &mut Connection, last: Option<Position>, term: u64, membership: &str, vote: &str) -> rusqlite::Result<Position> {
    let at = Position { index: last.map_or(0, |at| at.index + 1), term };
    let entry = Entry { at, payload: Payload::Membership(membership.into()) };
    let tx = sqlite::write(db)?;
    let newest: Option<u64> = tx.query_row("SELECT MAX(idx) FROM log", [], |row| row.get(0))?;
    if let Some(last) = last
        && newest.is_none_or(|newest| newest < last.index)
    {
        // The state came as a whole, and the log was not shortened any more.
        tx.execute("DELETE FROM log", [])?;
        super::writer::set(&tx, "purged", &format!("{} {}", last.index, last.term))?;
    }
    super::writer::insert(&tx, &entry)?;
    super::writer::set(&tx, "vote", vote)?;
    tx.commit()?;
    Ok(at)
}
