//! What a command does: pure, and the same on every member for ever.
//!
//! [`apply`] decides; a [`Rows`] holds the rows. There are two: [`Model`] in
//! memory (tests, simulator) and SQLite. Both get the same edits.

mod model;

pub use model::Model;

use std::collections::HashMap;
use std::convert::Infallible;

use gannet_daemon::world::{Mistake, makes};

use crate::command::{Command, Key, Outcome, Row, RowChange, Write};

/// Where rows and remembered tokens are.
pub trait Rows {
    /// Why reading or writing failed; nothing for memory.
    type Error;
    /// The revision of a row.
    fn rev(&self, key: &Key) -> Result<Option<u64>, Self::Error>;
    /// A row.
    fn row(&self, key: &Key) -> Result<Option<Row>, Self::Error>;
    /// The outcome of the command that had this token.
    fn outcome(&self, token: &str) -> Result<Option<Outcome>, Self::Error>;
    /// Carries out one edit.
    fn edit(&mut self, change: &RowChange) -> Result<(), Self::Error>;
    /// Remembers an outcome, and forgets the oldest beyond
    /// [`TOKENS_REMEMBERED`](crate::command::TOKENS_REMEMBERED).
    fn remember(&mut self, token: &str, outcome: &Outcome) -> Result<(), Self::Error>;
}

/// Applies a command from a log entry of `term`, and returns what it did.
///
/// # Errors
/// Only those of `rows`; the caller must then throw away all edits.
pub fn apply<R: Rows>(rows: &mut R, term: u64, command: &Command) -> Result<(Outcome, Vec<RowChange>), R::Error> {
    if let Some(token) = &command.token
        && let Some(first) = rows.outcome(token)?
    {
        return Ok((first, Vec::new()));
    }
    // Entries are applied in the order of their terms, so the term of this
    // entry is the latest that the state has seen.
    if command.epoch < term {
        return Ok((Outcome::Deposed { term }, Vec::new()));
    }
    let (outcome, edits) = decide(rows, command)?;
    for edit in &edits {
        rows.edit(edit)?;
    }
    if let Some(token) = &command.token {
        rows.remember(token, &outcome)?;
    }
    Ok((outcome, edits))
}

fn decide<R: Rows>(rows: &R, command: &Command) -> Result<(Outcome, Vec<RowChange>), R::Error> {
    for condition in &command.conditions {
        let found = rows.rev(&condition.key)?;
        if !condition.expect.holds(found) && !makes(Mistake::ConditionsIgnored) {
            let key = condition.key.clone();
            return Ok((Outcome::Conflict { key, found }, Vec::new()));
        }
    }
    let mut draft = Draft::over(rows);
    let mut revs = Vec::with_capacity(command.writes.len());
    for write in &command.writes {
        match draft.write(write)? {
            Ok(rev) => revs.push(rev),
            Err(key) => return Ok((Outcome::Conflict { key, found: None }, Vec::new())),
        }
    }
    Ok((Outcome::Applied { revs }, draft.edits))
}

/// The rows as the writes so far would leave them.
struct Draft<'a, R> {
    rows: &'a R,
    /// Where in `edits` the last word on a row is.
    touched: HashMap<Key, usize>,
    edits: Vec<RowChange>,
}

impl<'a, R: Rows> Draft<'a, R> {
    fn over(rows: &'a R) -> Self {
        Self { rows, touched: HashMap::new(), edits: Vec::new() }
    }

    /// The revision made (0: none); the inner error is the missing row.
    fn write(&mut self, write: &Write) -> Result<Result<u64, Key>, R::Error> {
        match write {
            Write::Put { key, json } => {
                let rev = self.rev(key)?.unwrap_or(0) + 1;
                let (key, json) = (key.clone(), json.clone());
                self.put(Row { key, rev, json });
                Ok(Ok(rev))
            }
            Write::Delete { key } => {
                if self.rev(key)?.is_some() {
                    self.delete(key);
                }
                Ok(Ok(0))
            }
            Write::Move { from, to } => {
                let Some(old) = self.row(from)? else {
                    return Ok(Err(from.clone()));
                };
                // Never below what the target had, so that a stale
                // compare-and-set on it still fails.
                let rev = old.rev.max(self.rev(to)?.unwrap_or(0) + 1);
                self.delete(from);
                let (key, json) = (to.clone(), old.json);
                self.put(Row { key, rev, json });
                Ok(Ok(rev))
            }
        }
    }

    fn rev(&self, key: &Key) -> Result<Option<u64>, R::Error> {
        match self.edit_of(key) {
            Some(RowChange::Put(row)) => Ok(Some(row.rev)),
            Some(RowChange::Deleted(_)) => Ok(None),
            None => self.rows.rev(key),
        }
    }

    fn row(&self, key: &Key) -> Result<Option<Row>, R::Error> {
        match self.edit_of(key) {
            Some(RowChange::Put(row)) => Ok(Some(row.clone())),
            Some(RowChange::Deleted(_)) => Ok(None),
            None => self.rows.row(key),
        }
    }

    fn edit_of(&self, key: &Key) -> Option<&RowChange> {
        self.touched.get(key).map(|at| &self.edits[*at])
    }

    fn put(&mut self, row: Row) {
        self.touched.insert(row.key.clone(), self.edits.len());
        self.edits.push(RowChange::Put(row));
    }

    fn delete(&mut self, key: &Key) {
        self.touched.insert(key.clone(), self.edits.len());
        self.edits.push(RowChange::Deleted(key.clone()));
    }
}

/// Takes the value out of a result that cannot fail.
pub fn infallible<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Expect;

    fn key(id: &str) -> Key {
        Key::new("job", id)
    }

    fn applied(revs: &[u64]) -> Outcome {
        Outcome::Applied { revs: revs.to_vec() }
    }

    #[track_caller]
    fn check(model: &mut Model, command: Command, expected: Outcome) {
        assert_eq!(model.apply(3, &command).0, expected, "{command:?}");
    }

    #[test]
    fn rules() {
        let mut model = Model::default();
        let c = || Command::new(3);
        check(&mut model, c().put(key("1"), "a"), applied(&[1]));
        check(&mut model, c().put(key("1"), "b"), applied(&[2]));
        let stale = c().expect(key("1"), Expect::Rev(1)).put(key("1"), "x");
        let conflict = |id: &str, found| Outcome::Conflict { key: key(id), found };
        check(&mut model, stale, conflict("1", Some(2)));
        let absent = c().expect(key("1"), Expect::Absent).put(key("2"), "x");
        check(&mut model, absent, conflict("1", Some(2)));
        let exists = c().expect(key("9"), Expect::Exists).put(key("2"), "x");
        check(&mut model, exists, conflict("9", None));
        assert_eq!(model.row(&key("2")), Ok(None));

        // A later write that cannot be done takes back the earlier ones.
        let half = c().put(key("3"), "x").rename(key("9"), key("8"));
        check(&mut model, half, conflict("9", None));
        assert_eq!(model.row(&key("3")), Ok(None));

        let archived = Key::new("archive", "1");
        let archive = c().put(key("1"), "done").rename(key("1"), archived.clone());
        check(&mut model, archive, applied(&[3, 3]));
        let row = infallible(model.row(&archived)).expect("was moved");
        assert_eq!((row.rev, row.json.as_str()), (3, "done"));
        assert_eq!(model.row(&key("1")), Ok(None));
        check(&mut model, c().delete(key("1")), applied(&[0]));
    }

    #[test]
    fn a_repeated_token_returns_the_first_outcome() {
        let mut model = Model::default();
        let command = Command::new(3).token("t").put(key("1"), "a");
        check(&mut model, command.clone(), applied(&[1]));
        check(&mut model, command, applied(&[1]));
        let other = Command::new(9).token("t").put(key("2"), "b");
        check(&mut model, other, applied(&[1]));
        assert_eq!(model.row(&key("2")), Ok(None));
    }

    #[test]
    fn an_old_epoch_is_refused_and_its_token_stays_free() {
        let mut model = Model::default();
        let old = Command::new(2).token("t").put(key("1"), "a");
        check(&mut model, old, Outcome::Deposed { term: 3 });
        let new = Command::new(3).token("t").put(key("1"), "b");
        check(&mut model, new, applied(&[1]));
    }
}
