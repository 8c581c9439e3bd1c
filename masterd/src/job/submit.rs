//! Submission: jobs become rows in the store before anybody sees their numbers.

use std::sync::Arc;

use gannet_core::error::{ErrorCode, WireError};
use gannet_core::id::JobId;
use gannet_core::job::Job;
use gannet_core::opcode::{Dependency, JobRef, OpCode, ReasonEntry};

use gannet_daemon::world::{Mistake, makes};

use super::{JobCell, JobRow, Queue, engine};
use crate::master::Master;
use crate::store::{CommitError, RawWrite, Transaction};

/// Most jobs that are not archived (Ganeti: JOB_QUEUE_SIZE_HARD_LIMIT is 5,000; ours costs memory only).
const MAX_JOBS: usize = 500_000;

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
            // Ganeti's query daemon answers with its general class (`parity/luxi.json`).
            SubmitError::Drained => Self::new("GenericError", error.to_string()),
            SubmitError::Store(cause) => Self { args: vec![error.to_string().into()], ..Self::from(cause) },
            SubmitError::Full => Self::new("JobQueueFull", error.to_string()),
            SubmitError::Invalid(text) => Self::prereq(text.clone(), ErrorCode::Invalid),
        }
    }
}

impl Queue {
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
        if makes(Mistake::EarlyAck) {
            self.enqueue(cell);
            self.schedule();
            return Ok(id);
        }
        cell.persist(master.store(), Transaction::default()).await?;
        self.enqueue(cell);
        self.schedule();
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
            self.enqueue(cell);
        }
        self.schedule();
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
        self.reserve_id(MAX_JOBS).ok_or(SubmitError::Full)
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
