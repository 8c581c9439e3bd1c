//! What a master that becomes active does with the jobs that it finds.

use std::sync::Arc;

use gannet_confd::command::Row;
use gannet_core::job::JobStatus;

use super::JobRow;
use crate::master::Master;

/// Takes over the jobs of `rows`: finished ones are kept for queries; the others wait again, go on from their last step, or
/// are taken back, as their journal and their opcode say.
pub fn recover(master: &Arc<Master>, mut rows: Vec<Row>) {
    // Ids of rows sort as the numbers of jobs do, and a job depends on older ones only.
    rows.sort_unstable_by(|one, other| one.key.id.cmp(&other.key.id));
    let mut unfinished = 0;
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
        unfinished += usize::from(!job.job.status().is_final());
        master.queue().adopt(job, row.rev);
    }
    tracing::info!(unfinished, "took over the job queue");
    master.queue().schedule();
}
