//! Rows and tokens in SQLite: the [`Rows`] of the state database.

use rusqlite::{Connection, OptionalExtension, params};

use gannet_proto::state as pb;
use prost::Message;

use crate::command::{Key, Outcome, Row, RowChange, TOKENS_REMEMBERED};
use crate::state::Rows;

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS row (
        kind TEXT NOT NULL, id TEXT NOT NULL, rev INTEGER NOT NULL, json TEXT NOT NULL,
        UNIQUE (kind, id));
    CREATE TABLE IF NOT EXISTS token (
        seq INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, outcome BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

/// The rows as a transaction on this connection sees them.
pub(super) struct SqlRows<'a>(pub(super) &'a Connection);

impl Rows for SqlRows<'_> {
    type Error = rusqlite::Error;

    fn rev(&self, key: &Key) -> rusqlite::Result<Option<u64>> {
        self.0
            .prepare_cached("SELECT rev FROM row WHERE kind = ?1 AND id = ?2")?
            .query_row(params![key.kind.as_str(), key.id], |row| row.get(0))
            .optional()
    }

    fn row(&self, key: &Key) -> rusqlite::Result<Option<Row>> {
        row(self.0, key)
    }

    fn outcome(&self, token: &str) -> rusqlite::Result<Option<Outcome>> {
        let bytes: Option<Vec<u8>> =
            self.0.prepare_cached("SELECT outcome FROM token WHERE token = ?1")?.query_row([token], |row| row.get(0)).optional()?;
        bytes.map(|bytes| decode(&bytes)).transpose()
    }

    fn edit(&mut self, change: &RowChange) -> rusqlite::Result<()> {
        match change {
            RowChange::Put(Row { key, rev, json }) => self
                .0
                .prepare_cached(
                    "INSERT INTO row (kind, id, rev, json) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (kind, id) DO UPDATE SET rev = ?3, json = ?4",
                )?
                .execute(params![key.kind.as_str(), key.id, rev, json])?,
            RowChange::Deleted(key) => {
                self.0.prepare_cached("DELETE FROM row WHERE kind = ?1 AND id = ?2")?.execute(params![key.kind.as_str(), key.id])?
            }
        };
        Ok(())
    }

    fn remember(&mut self, token: &str, outcome: &Outcome) -> rusqlite::Result<()> {
        let bytes = pb::Outcome::from(outcome.clone()).encode_to_vec();
        self.0.prepare_cached("INSERT INTO token (token, outcome) VALUES (?1, ?2)")?.execute(params![token, bytes])?;
        let oldest = self.0.last_insert_rowid() - TOKENS_REMEMBERED.cast_signed();
        self.0.prepare_cached("DELETE FROM token WHERE seq <= ?1")?.execute([oldest])?;
        Ok(())
    }
}

fn decode(bytes: &[u8]) -> rusqlite::Result<Outcome> {
    let wire = pb::Outcome::decode(bytes).map_err(crate::Error::invalid);
    wire.and_then(Outcome::try_from)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(error)))
}

/// One row.
pub(super) fn row(db: &Connection, key: &Key) -> rusqlite::Result<Option<Row>> {
    db.prepare_cached("SELECT rev, json FROM row WHERE kind = ?1 AND id = ?2")?
        .query_row(params![key.kind.as_str(), key.id], |row| Ok(Row { key: key.clone(), rev: row.get(0)?, json: row.get(1)? }))
        .optional()
}

/// Rows of a kind in byte order of their ids, after one of them: at most
/// `limit`, and no more once they are `bytes` together.
pub(super) fn list(db: &Connection, kind: &str, after: &str, limit: usize, bytes: usize) -> rusqlite::Result<Vec<Row>> {
    let mut found = db.prepare_cached("SELECT id, rev, json FROM row WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3")?;
    let mut found = found.query(params![kind, after, limit])?;
    let (mut rows, mut size) = (Vec::new(), 0);
    while size < bytes
        && let Some(row) = found.next()?
    {
        let key = Key::new(kind, row.get::<_, String>(0)?);
        let json: String = row.get(2)?;
        size += json.len();
        let rev = row.get(1)?;
        rows.push(Row { key, rev, json });
    }
    Ok(rows)
}

/// All kinds that have rows.
pub(super) fn kinds(db: &Connection) -> rusqlite::Result<Vec<String>> {
    // Skips from kind to kind through the index; DISTINCT would read it all.
    const NEXT: &str = "SELECT MIN(kind) FROM row WHERE kind > ?1";
    let mut kinds: Vec<String> = Vec::new();
    loop {
        let last = kinds.last().map_or("", String::as_str);
        let next: Option<String> = db.query_row(NEXT, [last], |row| row.get(0))?;
        match next {
            Some(kind) => kinds.push(kind),
            None => return Ok(kinds),
        }
    }
}
