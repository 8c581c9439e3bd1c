//! What clients can do with a job that is in the queue: cancel it, change its priority; and the drain flag.

use std::sync::Arc;

use gannet_confd::command::{Key, Kind};
use gannet_core::id::{FilterUuid, JobId};
use gannet_core::job::JobStatus;
use gannet_core::opcode::Priority;
use serde_json::Value;

use super::{DRAIN_KEY, Entry, JobCell, JobRow, Queue, engine};
use crate::lock::Claim;
use crate::store::{CommitError, RawWrite, Transaction};

/// What the result of a canceled opcode says (Ganeti's words).
pub(super) const CANCELED: &str = "Job canceled by request";

impl Queue {
    /// Cancels a job that has not begun to work. Ganeti's answer: success, and a text. Success is a promise: it is durable, and
    /// the job does not work any more.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn cancel(&self, id: JobId) -> Result<(bool, String), CommitError> {
        let cell = match self.find(id) {
            None => return Ok((false, format!("Job {id} not found"))),
            Some(Entry::Brief(_)) => return Ok((false, format!("Job {id} is already finished"))),
            Some(Entry::Whole(cell)) => cell,
        };
        if self.withdraw(id) {
            self.conclude(&cell, CANCELED).await?;
            return Ok((true, format!("Job {id} canceled")));
        }
        match cell.update(JobRow::cancel) {
            Ok(()) => {
                cell.request_cancel();
                // A master that comes after this one has promised it, too.
                cell.persist(self.master()?.store(), Transaction::default()).await?;
                Ok((true, format!("Job {id} will be canceled")))
            }
            Err(JobStatus::Canceling) => Ok((true, format!("Job {id} will be canceled"))),
            Err(other) if other.is_final() => Ok((false, format!("Job {id} is already finished"))),
            Err(other) => Ok((false, format!("Job {id} is {other}: it changes nodes already and cannot be canceled"))),
        }
    }

    /// Ends a job that has been withdrawn from the scheduler: none of its opcodes begins.
    pub(super) async fn conclude(&self, cell: &Arc<JobCell>, text: &str) -> Result<(), CommitError> {
        let master = self.master()?;
        let now = master.clock().now();
        let end = |row: &mut JobRow| {
            if let Some(first) = row.job.ops.iter().position(|op| !op.status.is_final()) {
                engine::close(row, first, JobStatus::Canceled, Value::String(text.to_owned()), now);
            }
        };
        if let Err(error) = cell.persist_change(master.store(), Transaction::default(), end).await {
            // As with every job's end: who cannot write it may not act any more.
            master.stop(error.to_string());
            return Err(error);
        }
        self.retire(cell);
        Ok(())
    }

    /// Ends a job that must not begin, if it has not: a filter rule rejects it, or another master has promised to cancel it.
    pub(super) async fn discard(&self, cell: Arc<JobCell>, rule: Option<FilterUuid>) {
        if !self.withdraw(cell.id()) {
            return;
        }
        let text = match rule {
            Some(rule) => format!("Job rejected by the filter rule {rule}"),
            None => CANCELED.to_owned(),
        };
        if let Err(error) = self.conclude(&cell, &text).await {
            tracing::error!(job_id = %cell.id(), %error, "the end of a job could not be written");
        }
    }

    /// Changes how urgent a job is. Ganeti's answer: success, and a text.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn change_priority(&self, id: JobId, priority: Priority) -> Result<(bool, String), CommitError> {
        let cell = match self.find(id) {
            None => return Ok((false, format!("Job {id} not found"))),
            Some(Entry::Whole(cell)) if !cell.read(|row| row.job.status().is_final()) => cell,
            Some(_) => return Ok((false, format!("Job {id} is finished"))),
        };
        let master = self.master()?;
        let waiting: Vec<Claim> = cell.read(|row| {
            let ops = row.job.ops.iter().enumerate().filter(|(_, op)| !op.status.is_final());
            ops.map(|(index, op)| Claim { priority: op.priority, job: id, op: index }).collect()
        });
        cell.update(|row| {
            for op in row.job.ops.iter_mut().filter(|op| !op.status.is_final()) {
                op.priority = priority.get();
            }
        });
        self.reprioritise(id, priority);
        for claim in waiting {
            master.locks().reprioritise(claim, priority.get());
        }
        cell.persist(master.store(), Transaction::default()).await?;
        Ok((true, format!("Priorities of pending opcodes for job {id} have been changed to {}", priority.get())))
    }

    /// Whether the operator has drained the queue.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.master().is_ok_and(|master| master.store().state().meta.contains_key(DRAIN_KEY))
    }

    /// Sets or clears the drain flag.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn set_drained(&self, drained: bool) -> Result<(), CommitError> {
        let key = Key::new(Kind::META, DRAIN_KEY);
        let write = if drained { RawWrite::Put { key, json: "true".to_owned(), expect: None } } else { RawWrite::Delete { key } };
        self.master()?.store().commit(Transaction { raw: vec![write], ..Transaction::default() }).await.map(|_| ())
    }
}
