//! What a master that becomes active does with the jobs that it finds.

use std::sync::Arc;

use gannet_confd::command::Row;
use gannet_core::job::JobStatus;

use super::{JobCell, JobRow};
use crate::master::Master;

/// Takes over the jobs of `rows`: finished ones are kept for queries; the others wait again, go on from their last step, or
/// are taken back, as their journal and their opcode say.
pub fn recover(master: &Arc<Master>, rows: Vec<Row>) {
    let mut unfinished = Vec::new();
    for row in rows {
        let mut job: JobRow = match serde_json::from_str(&row.json) {
            Ok(job) => job,
            Err(error) => {
                tracing::error!(key = %row.key, error = %error, "a job cannot be read; it is left alone");
                continue;
            }
        };
        let begun = job.journal.as_ref().map(|journal| journal.op);
        for (index, op) in job.job.ops.iter_mut().enumerate() {
            // What had only waited, or had not changed anything yet, starts over. Its wait is not part of the record.
            let pending = matches!(op.status, JobStatus::Waiting | JobStatus::Canceling | JobStatus::Running);
            if pending && begun != Some(index) {
                op.status = if op.status == JobStatus::Canceling { JobStatus::Canceling } else { JobStatus::Queued };
                op.exec = None;
            }
        }
        let finished = job.job.status().is_final();
        let canceling = job.job.status() == JobStatus::Canceling;
        let cell = Arc::new(JobCell::new(job, row.rev));
        if canceling {
            cell.request_cancel();
        }
        master.queue().adopt(cell.clone());
        if !finished {
            unfinished.push(cell);
        }
    }
    tracing::info!(unfinished = unfinished.len(), "took over the job queue");
    for cell in unfinished {
        master.queue().start(cell);
    }
}
