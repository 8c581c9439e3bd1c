//! The state in memory, for tests and the simulator.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;

use super::{Rows, apply, infallible};
use crate::command::{Command, Key, Outcome, Row, RowChange, TOKENS_REMEMBERED};

/// All rows and tokens, in memory.
#[derive(Debug, Default, Clone)]
pub struct Model {
    rows: BTreeMap<Key, Row>,
    outcomes: HashMap<String, Outcome>,
    tokens: VecDeque<String>,
}

impl Model {
    /// Applies a command; see [`apply`].
    pub fn apply(&mut self, term: u64, command: &Command) -> (Outcome, Vec<RowChange>) {
        infallible(apply(self, term, command))
    }

    /// All rows, by key.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }
}

impl Rows for Model {
    type Error = Infallible;

    fn rev(&self, key: &Key) -> Result<Option<u64>, Infallible> {
        Ok(self.rows.get(key).map(|row| row.rev))
    }

    fn row(&self, key: &Key) -> Result<Option<Row>, Infallible> {
        Ok(self.rows.get(key).cloned())
    }

    fn outcome(&self, token: &str) -> Result<Option<Outcome>, Infallible> {
        Ok(self.outcomes.get(token).cloned())
    }

    fn edit(&mut self, change: &RowChange) -> Result<(), Infallible> {
        match change {
            RowChange::Put(row) => self.rows.insert(row.key.clone(), row.clone()),
            RowChange::Deleted(key) => self.rows.remove(key),
        };
        Ok(())
    }

    fn remember(&mut self, token: &str, outcome: &Outcome) -> Result<(), Infallible> {
        self.outcomes.insert(token.to_owned(), outcome.clone());
        self.tokens.push_back(token.to_owned());
        if self.tokens.len() as u64 > TOKENS_REMEMBERED
            && let Some(oldest) = self.tokens.pop_front()
        {
            self.outcomes.remove(&oldest);
        }
        Ok(())
    }
}
