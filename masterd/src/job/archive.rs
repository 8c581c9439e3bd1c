//! Archiving: finished jobs leave the queue; they can still be asked for by number.

use std::sync::Arc;
use std::time::Duration;

use gannet_confd::command::{Key, Kind};
use gannet_core::id::JobId;
use gannet_core::quantity::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::cell::row_id;
use super::{ARCHIVED_KEY, JobRow, Queue};
use crate::luxi::WATCHER_PAUSE_KEY;
use crate::master::Master;
use crate::store::{CommitError, RawWrite, State, Transaction};

/// Jobs in one write: small enough not to hold up others, large enough to share the write.
const BATCH: usize = 500;
/// How old finished jobs become in the queue (Ganeti: `ganeti-watcher --job-age`, 6 hours), in seconds.
const AGE_S: i64 = 21_600;
/// Between two rounds (Ganeti: the watcher's cron job).
const EVERY: Duration = Duration::from_secs(300);
/// A round takes no longer than this; the next one goes on.
const ROUND_LIMIT: Duration = Duration::from_secs(60);

/// Archives old jobs from time to time, as Ganeti's watcher does, and rests while the watcher is paused.
pub async fn serve(master: Arc<Master>, mut shutdown: watch::Receiver<bool>) {
    loop {
        if !is_paused(&master.store().state(), master.clock().now()) {
            match master.queue().auto_archive(AGE_S, ROUND_LIMIT).await {
                Ok((0, _)) => {}
                Ok((archived, left)) => tracing::info!(archived, left, "archived old jobs"),
                // Whoever lost the store is stopped by others.
                Err(error) => tracing::warn!(%error, "old jobs could not be archived; the next round tries again"),
            }
        }
        let stopped = tokio::time::timeout(EVERY, shutdown.wait_for(|stop| *stop)).await;
        if stopped.is_ok() {
            return;
        }
    }
}

/// Whether `gnt-cluster watcher pause` is in force.
fn is_paused(state: &State, now: Timestamp) -> bool {
    let until = state.meta.get(WATCHER_PAUSE_KEY).and_then(|text| text.parse::<f64>().ok());
    until.is_some_and(|until| until > now.as_secs_f64())
}

impl Queue {
    /// An archived job, read from the store.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn archived(&self, id: JobId) -> Result<Option<JobRow>, CommitError> {
        self.row(Kind::ARCHIVE, id).await
    }

    /// The whole of a job that has ended and is not archived, read from the store.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn finished(&self, id: JobId) -> Result<Option<JobRow>, CommitError> {
        self.row(Kind::JOB, id).await
    }

    async fn row(&self, kind: &'static str, id: JobId) -> Result<Option<JobRow>, CommitError> {
        let key = Key::new(kind, row_id(id));
        let row = self.master()?.store().client().get(key).await.map_err(|error| CommitError::Unavailable(error.to_string()))?;
        Ok(row.and_then(|row| serde_json::from_str(&row.json).ok()))
    }

    /// Archives a finished job; false when it is unknown or not finished.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn archive(&self, id: JobId) -> Result<bool, CommitError> {
        Ok(self.archive_all(vec![id]).await? == 1)
    }

    /// Archives jobs that ended at least `age_s` seconds ago (-1: all finished ones), within `limit`. Gives how many were
    /// archived, and how many jobs were not looked at.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn auto_archive(&self, age_s: i64, limit: Duration) -> Result<(usize, usize), CommitError> {
        let before = (age_s >= 0).then_some(Timestamp(self.master()?.clock().now().0.saturating_sub(age_s.saturating_mul(1_000_000))));
        let entries = self.all();
        let old = entries
            .iter()
            .filter(|(_, entry)| entry.status().is_final() && before.is_none_or(|before| entry.end().is_some_and(|end| end <= before)));
        let candidates: Vec<JobId> = old.map(|(id, _)| *id).collect();
        let deadline = Instant::now() + limit;
        let mut archived = 0;
        let mut looked = 0;
        for batch in candidates.chunks(BATCH) {
            if Instant::now() >= deadline {
                break;
            }
            looked += batch.len();
            archived += self.archive_all(batch.to_vec()).await?;
        }
        Ok((archived, candidates.len() - looked))
    }

    async fn archive_all(&self, ids: Vec<JobId>) -> Result<usize, CommitError> {
        let master = self.master()?;
        // Two that move the same row would get into each other's way.
        let _alone = self.archiving().await;
        let is_finished = |id: &JobId| self.find(*id).is_some_and(|entry| entry.status().is_final());
        let ids: Vec<JobId> = ids.into_iter().filter(is_finished).collect();
        let Some(highest) = ids.iter().max() else { return Ok(0) };
        let known = master.store().state().meta.get(ARCHIVED_KEY).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let mut raw: Vec<RawWrite> = ids
            .iter()
            .map(|id| RawWrite::Move { from: Key::new(Kind::JOB, row_id(*id)), to: Key::new(Kind::ARCHIVE, row_id(*id)) })
            .collect();
        if highest.0 > known {
            raw.push(RawWrite::Put { key: Key::new(Kind::META, ARCHIVED_KEY), json: highest.0.to_string(), expect: None });
        }
        master.store().commit(Transaction { raw, ..Transaction::default() }).await?;
        self.forget(&ids);
        Ok(ids.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_of_the_watcher_ends_by_itself() {
        let mut state = State::default();
        let now = Timestamp(100_000_000);
        assert!(!is_paused(&state, now));
        state.meta.insert(WATCHER_PAUSE_KEY.to_owned(), "200.5".into());
        assert!(is_paused(&state, now));
        assert!(!is_paused(&state, Timestamp(201_000_000)));
    }
}
