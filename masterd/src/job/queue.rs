//! The queue: all jobs that are not archived, and what clients can do with them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use gannet_confd::command::{Key, Kind};
use gannet_core::error::{ErrorCode, WireError};
use gannet_core::id::JobId;
use gannet_core::job::{Job, JobStatus};
use gannet_core::opcode::{Dependency, JobRef, OpCode, Priority, ReasonEntry};
use gannet_core::quantity::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::cell::row_id;
use super::{JobCell, JobRow, engine};
use crate::lock::Claim;
use crate::master::Master;
use crate::store::{CommitError, RawWrite, Transaction};

/// Most jobs that are not archived (Ganeti: JOB_QUEUE_SIZE_HARD_LIMIT is 5,000; ours costs memory only).
const MAX_JOBS: usize = 500_000;

/// Meta row: the drain flag.
pub const DRAIN_KEY: &str = "queue-drained";
/// Meta row: the highest archived job, so that its number is not given out again.
pub const ARCHIVED_KEY: &str = "queue-archived-max";

/// Why a job was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The operator has drained the queue.
    #[error("Job queue is drained, refusing job")]
    Drained,
    /// [`MAX_JOBS`].
    #[error("Job queue is full, not accepting new jobs")]
    Full,
    /// A bad opcode.
    #[error("{0}")]
    Invalid(String),
    /// The state store did not take it.
    #[error("Cannot write the job: {0}")]
    Store(#[from] CommitError),
}

impl From<&SubmitError> for WireError {
    fn from(error: &SubmitError) -> Self {
        match error {
            // Ganeti's query daemon answers both with its general class (`parity/luxi.json`).
            SubmitError::Drained | SubmitError::Store(_) => Self::new("GenericError", error.to_string()),
            SubmitError::Full => Self::new("JobQueueFull", error.to_string()),
            SubmitError::Invalid(text) => Self::prereq(text.clone(), ErrorCode::Invalid),
        }
    }
}

/// All jobs that are not archived.
pub struct Queue {
    master: Weak<Master>,
    jobs: Mutex<BTreeMap<JobId, Arc<JobCell>>>,
    next: AtomicU64,
    /// True: no opcode begins any more.
    paused: watch::Sender<bool>,
    /// How many opcodes are under way.
    busy: watch::Sender<usize>,
}

/// An opcode that is under way; dropping it says that it is not any more.
pub(super) struct Busy<'a>(&'a Queue);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.send_modify(|count| *count -= 1);
    }
}

impl Queue {
    /// From now on no opcode begins; those under way go on.
    pub fn pause(&self) {
        self.paused.send_replace(true);
    }

    /// Resolves when no opcode is under way.
    pub async fn idle(&self) {
        let mut busy = self.busy.subscribe();
        // The sender lives in `self`.
        let _ = busy.wait_for(|count| *count == 0).await;
    }

    /// Begins an opcode; never resolves while the queue is paused.
    pub(super) async fn begin(&self) -> Busy<'_> {
        let mut paused = self.paused.subscribe();
        let _ = paused.wait_for(|paused| !*paused).await;
        self.busy.send_modify(|count| *count += 1);
        Busy(self)
    }

    /// An empty queue; [`Self::adopt`] fills it with what the store has.
    #[must_use]
    pub fn new(master: Weak<Master>, highest_archived: u64) -> Self {
        Self {
            master,
            jobs: Mutex::new(BTreeMap::new()),
            next: AtomicU64::new(highest_archived + 1),
            paused: watch::Sender::new(false),
            busy: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<JobId, Arc<JobCell>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn master(&self) -> Result<Arc<Master>, CommitError> {
        self.master.upgrade().ok_or_else(|| CommitError::Unavailable("the master daemon is stopping".to_owned()))
    }

    /// Puts a job in that the store has already.
    pub(super) fn adopt(&self, cell: Arc<JobCell>) {
        self.next.fetch_max(cell.id().0 + 1, Ordering::Relaxed);
        self.lock().insert(cell.id(), cell);
    }

    /// Starts (or restarts) a job's task.
    pub(super) fn start(&self, cell: Arc<JobCell>) {
        let Ok(master) = self.master() else { return };
        let span = tracing::info_span!("job", job_id = %cell.id());
        tokio::spawn(tracing::Instrument::instrument(async move { engine::run(master, cell).await }, span));
    }

    /// The job with this number, if it is not archived.
    #[must_use]
    pub fn get(&self, id: JobId) -> Option<Arc<JobCell>> {
        self.lock().get(&id).cloned()
    }

    /// All jobs that are not archived, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<JobCell>> {
        self.lock().values().cloned().collect()
    }

    /// An archived job, read from the store.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn archived(&self, id: JobId) -> Result<Option<JobRow>, CommitError> {
        let master = self.master()?;
        let row = master
            .store()
            .client()
            .get(Key::new(Kind::ARCHIVE, row_id(id)))
            .await
            .map_err(|error| CommitError::Unavailable(error.to_string()))?;
        Ok(row.and_then(|row| serde_json::from_str(&row.json).ok()))
    }

    /// Whether the operator has drained the queue.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.master().is_ok_and(|master| master.store().state().meta.contains_key(DRAIN_KEY))
    }

    /// Takes a job: durable when this returns.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn submit(&self, ops: Vec<OpCode>, even_drained: bool) -> Result<JobId, SubmitError> {
        if !even_drained && self.is_drained() {
            return Err(SubmitError::Drained);
        }
        let master = self.master()?;
        let id = self.next_id()?;
        let cell = self.prepare(&master, id, ops, &[])?;
        cell.persist(master.store(), Transaction::default()).await?;
        self.lock().insert(id, cell.clone());
        self.start(cell);
        Ok(id)
    }

    /// Takes several jobs in one write: all of them, or none. Relative dependencies refer to earlier jobs of the call.
    ///
    /// # Errors
    /// [`SubmitError`]; per job where only that job is wrong.
    pub async fn submit_many(&self, jobs: Vec<Vec<OpCode>>) -> Result<Vec<Result<JobId, SubmitError>>, SubmitError> {
        if self.is_drained() {
            return Err(SubmitError::Drained);
        }
        let master = self.master()?;
        let mut ids = Vec::new();
        let mut outcomes = Vec::new();
        let mut cells = Vec::new();
        for ops in jobs {
            let id = self.next_id()?;
            match self.prepare(&master, id, ops, &ids) {
                Ok(cell) => {
                    cells.push(cell);
                    outcomes.push(Ok(id));
                }
                Err(error) => outcomes.push(Err(error)),
            }
            ids.push(id);
        }
        self.persist_all(&master, &cells).await?;
        self.start_all(cells);
        Ok(outcomes)
    }

    /// Jobs that another job submits: `record` puts their numbers into its journal, in the same write.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub(super) async fn submit_from_job(
        &self,
        parent: &Arc<JobCell>,
        jobs: Vec<Vec<OpCode>>,
        record: impl FnOnce(&[JobId]),
    ) -> Result<Vec<JobId>, SubmitError> {
        let master = self.master()?;
        let mut ids = Vec::new();
        let mut cells = Vec::new();
        for ops in jobs {
            let id = self.next_id()?;
            cells.push(self.prepare(&master, id, ops, &ids)?);
            ids.push(id);
        }
        record(&ids);
        parent.persist(master.store(), new_rows(&cells)).await?;
        for cell in &cells {
            cell.assume_written().await;
        }
        self.start_all(cells);
        Ok(ids)
    }

    fn start_all(&self, cells: Vec<Arc<JobCell>>) {
        for cell in cells {
            self.lock().insert(cell.id(), cell.clone());
            self.start(cell);
        }
    }

    async fn persist_all(&self, master: &Master, cells: &[Arc<JobCell>]) -> Result<(), SubmitError> {
        if cells.is_empty() {
            return Ok(());
        }
        master.store().commit(new_rows(cells)).await?;
        for cell in cells {
            cell.assume_written().await;
        }
        Ok(())
    }

    fn next_id(&self) -> Result<JobId, SubmitError> {
        if self.lock().len() >= MAX_JOBS {
            return Err(SubmitError::Full);
        }
        Ok(JobId(self.next.fetch_add(1, Ordering::Relaxed)))
    }

    fn prepare(&self, master: &Master, id: JobId, mut ops: Vec<OpCode>, base: &[JobId]) -> Result<Arc<JobCell>, SubmitError> {
        if ops.is_empty() {
            return Err(SubmitError::Invalid("A job needs at least one opcode".to_owned()));
        }
        let now = master.clock().now();
        for (index, op) in ops.iter_mut().enumerate() {
            if !op.common.priority.is_submittable() {
                let text = format!("Opcode {index} has invalid priority {}, allowed are -10, 0 and 10", op.common.priority.get());
                return Err(SubmitError::Invalid(text));
            }
            let resolved: Option<Vec<Dependency>> = op.common.depends.iter().map(|dependency| engine::resolve(dependency, base)).collect();
            op.common.depends = resolved
                .ok_or_else(|| SubmitError::Invalid(format!("Opcode {index} depends on a relative job that is not in this submission")))?;
            self.check_dependencies(id, &op.common.depends)?;
            let name = op.op.id().trim_start_matches("OP_").to_ascii_lowercase();
            op.common.reason.push(ReasonEntry {
                source: format!("gnt:opcode:{name}"),
                reason: format!("job={id};index={index}"),
                timestamp_ns: now.as_nanos(),
            });
        }
        Ok(Arc::new(JobCell::new(JobRow { job: Job::new(id, ops, now), journal: None }, 0)))
    }

    fn check_dependencies(&self, id: JobId, depends: &[Dependency]) -> Result<(), SubmitError> {
        for dependency in depends {
            let JobRef::Id(other) = dependency.job else { continue };
            if other >= id {
                return Err(SubmitError::Invalid(format!("A job cannot depend on job {other}, which comes after it")));
            }
        }
        Ok(())
    }

    /// The final state of a job, once it has one; `None` when there is no such job.
    pub async fn wait_until_final(&self, id: JobId) -> Option<JobStatus> {
        let Some(cell) = self.get(id) else {
            return self.archived(id).await.ok().flatten().map(|row| row.job.status());
        };
        let mut changes = cell.changes();
        loop {
            let status = cell.read(|row| row.job.status());
            if status.is_final() {
                return Some(status);
            }
            if changes.changed().await.is_err() {
                return Some(cell.read(|row| row.job.status()));
            }
        }
    }

    /// Waits until `look` finds something new in the job, or `limit` is over. `None`: no such job.
    pub async fn wait_for_change<T>(&self, id: JobId, limit: Duration, mut look: impl FnMut(&JobRow) -> Option<T>) -> Option<Option<T>> {
        let cell = self.get(id)?;
        let mut changes = cell.changes();
        let deadline = Instant::now() + limit;
        loop {
            if let Some(found) = cell.read(&mut look) {
                return Some(Some(found));
            }
            match tokio::time::timeout_at(deadline, changes.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Some(None),
            }
        }
    }

    /// Cancels a job that has not begun to work. Ganeti's answer: success, and a text.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn cancel(&self, id: JobId) -> Result<(bool, String), CommitError> {
        let Some(cell) = self.get(id) else {
            return Ok((false, format!("Job {id} not found")));
        };
        let (status, begun) = cell.read(|row| (row.job.status(), row.journal.is_some()));
        match status {
            JobStatus::Queued | JobStatus::Waiting if !begun => {
                cell.request_cancel();
                cell.update(|row| {
                    for op in row.job.ops.iter_mut().filter(|op| matches!(op.status, JobStatus::Queued | JobStatus::Waiting)) {
                        op.status = JobStatus::Canceling;
                    }
                });
                let word = if status == JobStatus::Queued { "canceled" } else { "will be canceled" };
                Ok((true, format!("Job {id} {word}")))
            }
            JobStatus::Canceling => Ok((true, format!("Job {id} will be canceled"))),
            other if other.is_final() => Ok((false, format!("Job {id} is already finished"))),
            other => Ok((false, format!("Job {id} is {other}: it changes nodes already and cannot be canceled"))),
        }
    }

    /// Changes how urgent a job is. Ganeti's answer: success, and a text.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn change_priority(&self, id: JobId, priority: Priority) -> Result<(bool, String), CommitError> {
        let Some(cell) = self.get(id) else {
            return Ok((false, format!("Job {id} not found")));
        };
        if cell.read(|row| row.job.status().is_final()) {
            return Ok((false, format!("Job {id} is finished")));
        }
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
        for claim in waiting {
            master.locks().reprioritise(claim, priority.get());
        }
        cell.persist(master.store(), Transaction::default()).await?;
        Ok((true, format!("Priorities of pending opcodes for job {id} have been changed to {}", priority.get())))
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
        /// Jobs in one write: small enough not to hold up others, large enough to share the write.
        const BATCH: usize = 500;
        let master = self.master()?;
        let before = (age_s >= 0).then(|| Timestamp(master.clock().now().0.saturating_sub(age_s.saturating_mul(1_000_000))));
        let old = |cell: &Arc<JobCell>| {
            cell.read(|row| row.job.status().is_final() && before.is_none_or(|before| row.job.end.is_some_and(|end| end <= before)))
        };
        let candidates: Vec<JobId> = self.all().iter().filter(|cell| old(cell)).map(|cell| cell.id()).collect();
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
        let finished = |id: &JobId| self.get(*id).is_some_and(|cell| cell.read(|row| row.job.status().is_final()));
        let ids: Vec<JobId> = ids.into_iter().filter(finished).collect();
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
        let mut jobs = self.lock();
        for id in &ids {
            jobs.remove(id);
        }
        Ok(ids.len())
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

/// The rows of new jobs.
fn new_rows(cells: &[Arc<JobCell>]) -> Transaction {
    let put = |cell: &Arc<JobCell>| RawWrite::Put {
        key: cell.key(),
        json: cell.read(JobRow::to_json),
        expect: Some(gannet_confd::command::Expect::Absent),
    };
    Transaction { raw: cells.iter().map(put).collect(), ..Transaction::default() }
}
