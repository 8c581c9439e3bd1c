//! The queue: all jobs that are not archived, and what clients can do with them.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::FutureExt;
use gannet_core::id::{FilterUuid, JobId};
use gannet_core::job::JobStatus;
use gannet_core::opcode::Priority;
use tokio::sync::watch;
use tokio::time::Instant;

use super::backlog::Backlog;
use super::engine::{self, Ended};
use super::{Brief, Entry, JobCell, JobRow};
use crate::master::Master;
use crate::store::CommitError;

/// Meta row: the drain flag.
pub const DRAIN_KEY: &str = "queue-drained";
/// Meta row: the highest archived job, so that its number is not given out again.
pub const ARCHIVED_KEY: &str = "queue-archived-max";

/// All jobs that are not archived.
pub struct Queue {
    master: Weak<Master>,
    inner: Mutex<Backlog>,
    next: AtomicU64,
    /// True: no opcode begins any more.
    paused: watch::Sender<bool>,
    /// How many opcodes are under way.
    busy: watch::Sender<usize>,
    /// Held by an opcode that begins anew.
    turn: tokio::sync::Mutex<()>,
    /// Held while jobs move to the archive.
    archiving: tokio::sync::Mutex<()>,
}

/// An opcode that is under way; dropping it says that it is not any more.
pub(super) struct Busy<'a>(&'a Queue);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.send_modify(|count| *count -= 1);
    }
}

impl Queue {
    /// An empty queue, which begins no job before [`Self::configure`] has said how many; [`Self::adopt`] fills it with what the
    /// store has.
    #[must_use]
    pub fn new(master: Weak<Master>, highest_archived: u64) -> Self {
        Self {
            master,
            inner: Mutex::default(),
            next: AtomicU64::new(highest_archived + 1),
            paused: watch::Sender::new(false),
            busy: watch::Sender::new(0),
            turn: tokio::sync::Mutex::new(()),
            archiving: tokio::sync::Mutex::new(()),
        }
    }

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

    /// The turn of an opcode that begins anew; first come, first served.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// The right to move jobs to the archive.
    pub(super) async fn archiving(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.archiving.lock().await
    }

    /// Begins an opcode; never resolves while the queue is paused.
    pub(super) async fn begin(&self) -> Busy<'_> {
        let mut paused = self.paused.subscribe();
        let _ = paused.wait_for(|paused| !*paused).await;
        self.busy.send_modify(|count| *count += 1);
        Busy(self)
    }

    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn master(&self) -> Result<Arc<Master>, CommitError> {
        self.master.upgrade().ok_or_else(|| CommitError::Unavailable("the master daemon is stopping".to_owned()))
    }

    /// Puts `max_running_jobs` and the job filters of the configuration in force.
    pub fn configure(&self) {
        let Ok(master) = self.master() else { return };
        let state = master.store().state();
        let rejected = self.lock().configure(&state.config);
        self.reject_all(rejected);
        self.schedule();
    }

    /// A number for a new job; `None` when there are `limit` jobs already.
    pub(super) fn reserve_id(&self, limit: usize) -> Option<JobId> {
        (self.lock().jobs.len() < limit).then(|| JobId(self.next.fetch_add(1, Ordering::Relaxed)))
    }

    /// The highest number that a job has.
    #[must_use]
    pub fn highest(&self) -> JobId {
        JobId(self.next.load(Ordering::Relaxed) - 1)
    }

    /// Puts a job in that the store has already. Those that have not ended must come in the order of their numbers.
    pub(super) fn adopt(&self, row: JobRow, rev: u64) {
        let id = row.job.id;
        self.next.fetch_max(id.0 + 1, Ordering::Relaxed);
        match row.job.status() {
            status if status.is_final() => {
                self.lock().jobs.insert(id, Entry::Brief(Arc::new(Brief::new(&row.job))));
            }
            _ if row.journal.is_some() => {
                let cell = Arc::new(JobCell::new(row, rev));
                self.lock().resume(&cell);
                self.start(cell);
            }
            JobStatus::Canceling => {
                let cell = Arc::new(JobCell::new(row, rev));
                cell.request_cancel();
                self.enqueue(cell.clone());
                let Ok(master) = self.master() else { return };
                // Another master has promised it.
                tokio::spawn(async move { master.queue().discard(cell, None).await });
            }
            _ => self.enqueue(Arc::new(JobCell::new(row, rev))),
        }
    }

    /// Shows these jobs and no others, and runs none of them: the queue of a copy.
    pub(crate) fn show(&self, jobs: &[JobRow]) {
        let jobs = jobs.iter().map(|row| (row.job.id, Entry::Brief(Arc::new(Brief::new(&row.job)))));
        self.lock().jobs = jobs.collect();
    }

    /// A job waits for its turn. [`Self::schedule`] follows.
    pub(super) fn enqueue(&self, cell: Arc<JobCell>) {
        let rejected = self.lock().enqueue(&cell);
        self.reject_all(rejected.map(|rule| (cell, rule)));
    }

    fn reject_all(&self, rejected: impl IntoIterator<Item = (Arc<JobCell>, FilterUuid)>) {
        for (cell, rule) in rejected {
            let Ok(master) = self.master() else { return };
            tokio::spawn(async move { master.queue().discard(cell, Some(rule)).await });
        }
    }

    /// Starts the jobs whose turn it is.
    pub(super) fn schedule(&self) {
        let starting = self.lock().next_jobs();
        starting.into_iter().for_each(|cell| self.start(cell));
    }

    /// Starts (or restarts) a job's task.
    fn start(&self, cell: Arc<JobCell>) {
        let Ok(master) = self.master() else { return };
        let span = tracing::info_span!("job", job_id = %cell.id());
        let task = async move {
            match AssertUnwindSafe(engine::run(master.clone(), cell.clone())).catch_unwind().await {
                Ok(Ended::Final) => master.queue().retire(&cell),
                Ok(Ended::Stopped) => {}
                // A bug. The job stays as it is for the next start of the daemon; its place is for others.
                Err(_) => {
                    tracing::error!(job_id = %cell.id(), "the job's task has panicked");
                    master.queue().lock().scheduler.ended(cell.id());
                    master.queue().schedule();
                }
            }
        };
        tokio::spawn(tracing::Instrument::instrument(task, span));
    }

    /// A job has ended: others may begin.
    pub(super) fn retire(&self, cell: &JobCell) {
        self.lock().retire(cell.id());
        self.schedule();
    }

    /// Takes a job out that has not begun; false when it has.
    pub(super) fn withdraw(&self, id: JobId) -> bool {
        self.lock().scheduler.withdraw(id)
    }

    /// A job has another priority now.
    pub(super) fn reprioritise(&self, id: JobId, priority: Priority) {
        self.lock().scheduler.reprioritise(id, priority.get());
    }

    /// Jobs that have been archived.
    pub(super) fn forget(&self, ids: &[JobId]) {
        let mut inner = self.lock();
        for id in ids {
            inner.jobs.remove(id);
        }
    }

    /// The job with this number, if it is not archived.
    #[must_use]
    pub fn find(&self, id: JobId) -> Option<Entry> {
        self.lock().jobs.get(&id).cloned()
    }

    /// All jobs that are not archived, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<(JobId, Entry)> {
        self.lock().jobs.iter().map(|(id, entry)| (*id, entry.clone())).collect()
    }

    /// The final state of a job, once it has one; `None` when there is no such job.
    pub async fn wait_until_final(&self, id: JobId) -> Option<JobStatus> {
        let cell = match self.find(id) {
            None => return self.archived(id).await.ok().flatten().map(|row| row.job.status()),
            Some(Entry::Brief(brief)) => return Some(brief.status),
            Some(Entry::Whole(cell)) => cell,
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

    /// Waits until `look` finds something new in the job, or `limit` is over. `None`: it is not in memory as a whole.
    pub async fn wait_for_change<T>(&self, id: JobId, limit: Duration, mut look: impl FnMut(&JobRow) -> Option<T>) -> Option<Option<T>> {
        let Some(Entry::Whole(cell)) = self.find(id) else { return None };
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
}
