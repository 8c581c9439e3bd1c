//! Runs one job: waits for its dependencies, then its opcodes one after the other.

use std::sync::Arc;

use gannet_core::error::WireError;
use gannet_core::id::JobId;
use gannet_core::job::JobStatus;
use gannet_core::opcode::{Dependency, FinalStatus, JobRef};
use serde_json::Value;

use super::{Finished, JobCell, OpContext, OpError, undo};
use crate::master::Master;
use crate::store::Transaction;

/// How a job left [`run`].
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// In a final state, durably.
    Final,
    /// This master may not write any more.
    Stopped,
}

/// Runs the job to its end.
pub async fn run(master: Arc<Master>, cell: Arc<JobCell>) -> Ended {
    let count = cell.read(|row| row.job.ops.len());
    for op in 0..count {
        if cell.read(|row| row.job.ops[op].status.is_final()) {
            continue;
        }
        let context = OpContext { master: master.clone(), cell: cell.clone(), op };
        let outcome = one(&context).await;
        let failed = !matches!(outcome, Ok(_) | Err(OpError::Stopped(_)));
        if !finish(&context, outcome).await {
            return Ended::Stopped;
        }
        // What it had picked is in the configuration now, or will never be.
        master.reservations().release(cell.id());
        if failed {
            break;
        }
    }
    Ended::Final
}

async fn one(context: &OpContext) -> Result<Finished, OpError> {
    let OpContext { master, cell, op } = context;
    let now = master.clock().now();
    cell.update(|row| {
        let first = row.job.start.is_none();
        let record = &mut row.job.ops[*op];
        if record.status == JobStatus::Queued {
            record.status = JobStatus::Waiting;
            record.start = Some(now);
        }
        if first {
            row.job.start = Some(now);
        }
    });
    let input = cell.read(|row| row.job.ops[*op].input.clone());
    let begun = cell.read(|row| row.journal.is_some());
    if !begun {
        dependencies(context, &input.common.depends).await?;
    }
    let span = tracing::info_span!("opcode", job_id = %cell.id(), opcode = input.op.id());
    tracing::Instrument::instrument(crate::opcode::dispatch(context, &input.op), span).await
}

async fn dependencies(context: &OpContext, depends: &[Dependency]) -> Result<(), OpError> {
    for dependency in depends {
        let JobRef::Id(id) = dependency.job else {
            return Err(OpError::Failed(WireError::exec("a relative job dependency was not resolved at submission")));
        };
        let status = tokio::select! {
            biased;
            () = context.cell.cancel_requested() => return Err(OpError::Canceled),
            status = context.master.queue().wait_until_final(id) => status,
        };
        let Some(status) = status else {
            return Err(OpError::Failed(WireError::exec(format!("Job {id}, on which this one depends, does not exist any more"))));
        };
        let wanted = dependency.states.is_empty() || dependency.states.iter().any(|wanted| matches(*wanted, status));
        if !wanted {
            let wanted: Vec<String> = dependency.states.iter().map(ToString::to_string).collect();
            context.log().info(format!("Dependency job {id} ended with status '{status}', not {}", wanted.join(" or ")));
            return Err(OpError::Canceled);
        }
    }
    Ok(())
}

fn matches(wanted: FinalStatus, status: JobStatus) -> bool {
    match wanted {
        FinalStatus::Canceled => status == JobStatus::Canceled,
        FinalStatus::Success => status == JobStatus::Success,
        FinalStatus::Error => status == JobStatus::Error,
    }
}

/// Writes the end of an opcode, and of the job if it was the last; false when this master may not write any more.
async fn finish(context: &OpContext, outcome: Result<Finished, OpError>) -> bool {
    let OpContext { master, cell, op } = context;
    let now = master.clock().now();
    let (status, result, transaction, grant) = match outcome {
        Ok(done) => (JobStatus::Success, done.result, context.transaction(&done.changes), done.grant),
        Err(OpError::Failed(error)) => (JobStatus::Error, error.to_json(), Transaction::default(), None),
        Err(OpError::Canceled) => (JobStatus::Canceled, Value::String("Job canceled by request".to_owned()), Transaction::default(), None),
        Err(OpError::Stopped(text)) => {
            tracing::error!(job_id = %cell.id(), reason = text, "a job stops: this master may not write any more");
            master.stop(text);
            return false;
        }
    };
    // Clients see the end only when it is durable.
    let mut ended = cell.read(Clone::clone);
    ended.journal = None;
    close(&mut ended, *op, status, result, now);
    let written = cell.persist_as(master.store(), ended, transaction).await;
    let outcome = match written {
        Ok(()) => Ok(()),
        // Somebody changed an object of the last write: the operation has not happened, so its steps are taken back.
        Err(crate::store::CommitError::Conflict(text)) => conflicted(context, &text, now).await,
        Err(error) => Err(error.to_string()),
    };
    drop(grant);
    match outcome {
        Ok(()) => {
            // What it had picked is in the configuration now, or will never be.
            master.reservations().release(cell.id());
            true
        }
        Err(reason) => {
            master.stop(reason);
            false
        }
    }
}

/// Takes the steps back and writes the failure.
async fn conflicted(context: &OpContext, text: &str, now: gannet_core::quantity::Timestamp) -> Result<(), String> {
    let reason = format!("The change could not be written: {text}");
    if context.cell.read(|row| row.journal.is_some()) {
        undo::take_back(context, &reason).await?;
    }
    let mut ended = context.cell.read(Clone::clone);
    ended.journal = None;
    close(&mut ended, context.op, JobStatus::Error, WireError::exec(reason).to_json(), now);
    context.cell.persist_as(context.master.store(), ended, Transaction::default()).await.map_err(|error| error.to_string())
}

fn close(row: &mut super::JobRow, op: usize, status: JobStatus, result: Value, now: gannet_core::quantity::Timestamp) {
    let record = &mut row.job.ops[op];
    record.status = status;
    record.result = result;
    record.end = Some(now);
    if status != JobStatus::Success {
        let (rest_status, rest_result) = match status {
            JobStatus::Canceled => (JobStatus::Canceled, Value::String("Job canceled by request".to_owned())),
            _ => (JobStatus::Error, WireError::exec("Preceding opcode failed").to_json()),
        };
        for rest in row.job.ops.iter_mut().skip(op + 1) {
            rest.status = rest_status;
            rest.result = rest_result.clone();
            rest.end = Some(now);
        }
    }
    if row.job.ops.iter().all(|op| op.status.is_final()) {
        row.job.end = Some(now);
    }
}

/// The job that a [`JobId`] of a dependency names, if it is relative: `base` is the list of ids of the same submission.
#[must_use]
pub(super) fn resolve(dependency: &Dependency, base: &[JobId]) -> Option<Dependency> {
    let job = match dependency.job {
        JobRef::Id(id) => JobRef::Id(id),
        JobRef::Back(count) => JobRef::Id(*base.len().checked_sub(count as usize).and_then(|index| base.get(index))?),
    };
    Some(Dependency { job, states: dependency.states.clone() })
}
