//! The store's log as the library wants it.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};

use openraft::storage::{LogFlushed, LogState, RaftLogStorage};
use openraft::{ErrorVerb, OptionalSend, RaftLogReader};

use super::convert::{from_store, log_id, logs, position, to_store};
use super::types::{Entry, LogId, StorageError, Types, Vote};
use crate::store::log::Log;

#[derive(Clone)]
pub(super) struct LogStorage(pub(super) Log);

impl RaftLogReader<Types> for LogStorage {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<Entry>, StorageError> {
        let (mut start, end) = bounds(&range);
        let mut entries = Vec::new();
        // The store reads in portions; this call must return all there is.
        loop {
            let portion = self.limited_get_log_entries(start, end).await?;
            match portion.last() {
                Some(last) => start = last.log_id.index + 1,
                None => return Ok(entries),
            }
            entries.extend(portion);
        }
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, StorageError> {
        if start >= end {
            return Ok(Vec::new());
        }
        let entries = self.0.read(start, end).await;
        let entries = entries.map_err(|error| logs(ErrorVerb::Read, &error))?;
        entries.into_iter().map(from_store).collect()
    }
}

fn bounds(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(start) => start + 1,
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(end) => end + 1,
        Bound::Excluded(end) => *end,
        // SQLite's integers are signed.
        Bound::Unbounded => i64::MAX.cast_unsigned(),
    };
    (start, end)
}

impl RaftLogStorage<Types> for LogStorage {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let (purged, last) = self.0.ends();
        Ok(LogState { last_purged_log_id: purged.map(log_id), last_log_id: last.map(log_id) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let failed = |error: &dyn std::error::Error| logs(ErrorVerb::Write, error);
        let text = serde_json::to_string(vote).map_err(|error| failed(&error))?;
        self.0.save_vote(text).await.map_err(|error| failed(&error))
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let vote = self.0.vote().map(|text| serde_json::from_str(&text));
        vote.transpose().map_err(|error| logs(ErrorVerb::Read, &error))
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<Types>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries = entries.into_iter().map(|entry| to_store(&entry));
        let entries = entries.collect::<Result<_, _>>()?;
        self.0.append(entries, move |result| {
            let result = result.map_err(|error| io::Error::other(crate::error_chain(&error)));
            callback.log_io_completed(result);
        });
        Ok(())
    }

    async fn truncate(&mut self, since: LogId) -> Result<(), StorageError> {
        let done = self.0.truncate(since.index).await;
        done.map_err(|error| logs(ErrorVerb::Write, &error))
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), StorageError> {
        let done = self.0.purge(position(&upto)).await;
        done.map_err(|error| logs(ErrorVerb::Write, &error))
    }
}
