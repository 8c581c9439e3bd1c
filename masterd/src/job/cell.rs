//! One job in memory, and its row.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gannet_confd::command::{Expect, Key, Kind};
use gannet_core::id::JobId;
use gannet_core::job::{Job, JobStatus, LogEntry, LogType};
use gannet_core::quantity::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use super::Journal;
use crate::store::{CommitError, RawWrite, Store, Transaction};

/// A job as its row holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobRow {
    /// What clients see.
    #[serde(flatten)]
    pub job: Job,
    /// The opcode that is under way, if it has begun to change something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<Journal>,
}

impl JobRow {
    /// Marks what has not begun as canceling.
    ///
    /// # Errors
    /// The job's state, in which it cannot be canceled (any more).
    pub(crate) fn cancel(&mut self) -> Result<(), JobStatus> {
        let status = self.job.status();
        if !matches!(status, JobStatus::Queued | JobStatus::Waiting) || self.journal.is_some() {
            return Err(status);
        }
        for op in self.job.ops.iter_mut().filter(|op| !op.status.is_final()) {
            op.status = JobStatus::Canceling;
        }
        Ok(())
    }

    /// Marks the opcode as running; false when it is to be canceled. Under the job's mutex, so that a client who was told that it
    /// will be canceled was told the truth.
    pub(crate) fn begin(&mut self, op: usize, now: Timestamp) -> bool {
        let op = &mut self.job.ops[op];
        if op.status == JobStatus::Canceling {
            return false;
        }
        op.status = JobStatus::Running;
        op.exec = Some(now);
        true
    }

    /// The row's JSON; secret parameters are left out.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a job has only string keys and finite numbers, so it is always JSON")
    }
}

/// A job that this master has in memory.
#[derive(Debug)]
pub struct JobCell {
    id: JobId,
    row: Mutex<JobRow>,
    /// Revision of the row; the mutex orders the writes.
    rev: tokio::sync::Mutex<u64>,
    changes: watch::Sender<u64>,
    cancel: watch::Sender<bool>,
}

impl JobCell {
    /// A job whose row is at `rev`.
    pub(crate) fn new(row: JobRow, rev: u64) -> Self {
        Self {
            id: row.job.id,
            row: Mutex::new(row),
            rev: tokio::sync::Mutex::new(rev),
            changes: watch::Sender::new(0),
            cancel: watch::Sender::new(false),
        }
    }

    /// The job's number.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Looks at the job.
    pub fn read<T>(&self, look: impl FnOnce(&JobRow) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the job in memory and tells those who wait for a change. Durable with the next [`Self::persist`].
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut JobRow) -> T) -> T {
        let result = change(&mut self.lock());
        self.changes.send_modify(|count| *count += 1);
        result
    }

    /// Changes the job in memory without telling anybody: for what clients do not see (the journal).
    pub(crate) fn update_quietly<T>(&self, change: impl FnOnce(&mut JobRow) -> T) -> T {
        change(&mut self.lock())
    }

    /// A receiver that fires at every change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Asks the job to stop while it waits.
    pub(crate) fn request_cancel(&self) {
        self.cancel.send_replace(true);
    }

    /// Resolves when somebody wants the job to stop.
    pub(crate) async fn cancel_requested(&self) {
        let mut receiver = self.cancel.subscribe();
        // The sender lives in `self`.
        let _ = receiver.wait_for(|wanted| *wanted).await;
    }

    pub(crate) fn add_log(&self, op: usize, now: Timestamp, kind: LogType, message: Value) {
        self.update(|row| {
            let serial = row.job.ops.iter().flat_map(|op| op.log.last()).map(|entry| entry.0).max().unwrap_or(0) + 1;
            if let Some(op) = row.job.ops.get_mut(op) {
                op.log.push(LogEntry(serial, now, kind, message));
            }
        });
    }

    /// Writes the row as it is now, together with `transaction`.
    ///
    /// # Errors
    /// [`CommitError`]: nothing of both was written.
    pub(crate) async fn persist(&self, store: &Store, mut transaction: Transaction) -> Result<(), CommitError> {
        let mut rev = self.rev.lock().await;
        let json = self.read(JobRow::to_json);
        let expect = if *rev == 0 { Expect::Absent } else { Expect::Rev(*rev) };
        transaction.raw.push(RawWrite::Put { key: self.key(), json, expect: Some(expect) });
        gannet_daemon::fault::point("before a durable write of a job");
        store.commit(transaction).await?;
        *rev += 1;
        gannet_daemon::fault::point("after a durable write of a job");
        Ok(())
    }

    /// The row was written by somebody else's transaction, for the first time.
    pub(crate) async fn assume_written(&self) {
        *self.rev.lock().await = 1;
    }

    /// Writes the job as `change` makes it, together with `transaction`; clients see it only after it is durable. `change` is
    /// made a second time then, to what the job is by that time: others may have added to it meanwhile.
    ///
    /// # Errors
    /// [`CommitError`]: nothing was written, and the job is as before.
    pub(crate) async fn persist_change(
        &self,
        store: &Store,
        mut transaction: Transaction,
        change: impl Fn(&mut JobRow),
    ) -> Result<(), CommitError> {
        let mut rev = self.rev.lock().await;
        let json = {
            let mut row = self.read(Clone::clone);
            change(&mut row);
            row.to_json()
        };
        let expect = if *rev == 0 { Expect::Absent } else { Expect::Rev(*rev) };
        transaction.raw.push(RawWrite::Put { key: self.key(), json, expect: Some(expect) });
        gannet_daemon::fault::point("before a durable write of a job");
        store.commit(transaction).await?;
        *rev += 1;
        // Before clients can see the end: who has seen it knows that no crash belongs to this job any more.
        gannet_daemon::fault::point("after a durable write of a job");
        self.update(change);
        Ok(())
    }

    /// The key of the job's row.
    pub(crate) fn key(&self) -> Key {
        Key::new(Kind::JOB, row_id(self.id))
    }

    fn lock(&self) -> MutexGuard<'_, JobRow> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Row ids of jobs sort as their numbers do.
pub(crate) fn row_id(id: JobId) -> String {
    format!("{:012}", id.0)
}
