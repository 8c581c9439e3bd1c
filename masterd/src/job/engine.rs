//! Runs one job: waits for its dependencies, then its opcodes one after the other.

use std::sync::Arc;
use std::time::Duration;

use gannet_core::error::WireError;
use gannet_core::id::JobId;
use gannet_core::job::JobStatus;
use gannet_core::opcode::{Dependency, FinalStatus, JobRef};
use serde_json::Value;

use super::control::CANCELED;
use super::{Finished, JobCell, JobRow, OpContext, OpError, undo};
use crate::master::Master;
use crate::store::{CommitError, Transaction};

/// How a job left [`run`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// In a final state, durably.
    Final,
    /// This master may not write any more.
    Stopped,
}

/// Runs the job to its end.
pub(super) async fn run(master: Arc<Master>, cell: Arc<JobCell>) -> Ended {
    let count = cell.read(|row| row.job.ops.len());
    for op in 0..count {
        if cell.read(|row| row.job.ops[op].status.is_final()) {
            continue;
        }
        let context = OpContext { master: master.clone(), cell: cell.clone(), op };
        match to_its_end(&context).await {
            Written::Success => {}
            Written::Failure => break,
            Written::Not => return Ended::Stopped,
            Written::Again => unreachable!("an opcode is tried again by `to_its_end` only"),
        }
    }
    Ended::Final
}

/// How often an opcode that has done nothing yet begins anew, when others change what it wants to write.
const MAX_TRIES: usize = 100;
/// How long such an opcode waits for its turn among the others that begin anew. One of them may wait for locks meanwhile, which
/// must not hold up the rest.
const TURN_LIMIT: Duration = Duration::from_secs(5);

/// How the end of an opcode was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Success,
    Failure,
    /// Somebody else changed an object that it wanted to write; nothing has happened.
    Again,
    /// This master may not write any more.
    Not,
}

async fn to_its_end(context: &OpContext) -> Written {
    for tried in 1.. {
        // One after the other, so that they do not get into each other's way again and again.
        let turn = match tried {
            1 => None,
            _ => tokio::time::timeout(TURN_LIMIT, context.master.queue().turn()).await.ok(),
        };
        let outcome = one(context).await;
        let written = finish(context, outcome, tried < MAX_TRIES).await;
        if written != Written::Not {
            // What it had picked is in the configuration now, or will never be.
            context.master.reservations().release(context.cell.id());
        }
        drop(turn);
        if written != Written::Again {
            return written;
        }
    }
    unreachable!("the last try is written")
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

/// Writes the end of an opcode, and of the job if it was the last.
async fn finish(context: &OpContext, outcome: Result<Finished, OpError>, may_try_again: bool) -> Written {
    let OpContext { master, cell, op } = context;
    let now = master.clock().now();
    let outcome = match outcome {
        // Who was told that it will be canceled must not find it failed.
        Err(OpError::Failed(_)) if cell.read(|row| row.job.ops[*op].status == JobStatus::Canceling) => Err(OpError::Canceled),
        outcome => outcome,
    };
    let (status, result, transaction, grant) = match outcome {
        Ok(done) => (JobStatus::Success, done.result, context.transaction(&done.changes), done.grant),
        Err(OpError::Failed(error)) => (JobStatus::Error, error.to_json(), Transaction::default(), None),
        Err(OpError::Canceled) => (JobStatus::Canceled, Value::String(CANCELED.to_owned()), Transaction::default(), None),
        Err(OpError::Stopped(text)) => {
            tracing::error!(job_id = %cell.id(), reason = text, "a job stops: this master may not write any more");
            master.stop(text);
            return Written::Not;
        }
    };
    // Clients see the end only when it is durable.
    let end = |row: &mut JobRow| {
        row.journal = None;
        close(row, *op, status, result.clone(), now);
    };
    let outcome = match cell.persist_change(master.store(), transaction, end).await {
        Ok(()) if status == JobStatus::Success => Ok(Written::Success),
        Ok(()) => Ok(Written::Failure),
        Err(CommitError::Conflict(_)) if may_try_again && cell.update(|row| begin_anew(row, *op)) => Ok(Written::Again),
        // Somebody changed an object of the last write: the operation has not happened, so its steps are taken back.
        Err(CommitError::Conflict(text)) => conflicted(context, &text, now).await.map(|()| Written::Failure),
        Err(error) => Err(error.to_string()),
    };
    drop(grant);
    outcome.unwrap_or_else(|reason| {
        master.stop(reason);
        Written::Not
    })
}

/// An opcode that wrote to nothing but its own record, and ran no hooks, waits for its locks again; false for others.
fn begin_anew(row: &mut JobRow, op: usize) -> bool {
    let has_acted = row.journal.as_ref().is_some_and(|journal| !journal.steps.is_empty());
    let record = &mut row.job.ops[op];
    if has_acted || record.input.op.hooks().is_some() {
        return false;
    }
    row.journal = None;
    record.status = JobStatus::Waiting;
    record.exec = None;
    true
}

/// Takes the steps back and writes the failure.
async fn conflicted(context: &OpContext, text: &str, now: gannet_core::quantity::Timestamp) -> Result<(), String> {
    let reason = format!("The change could not be written: {text}");
    if context.cell.read(|row| row.journal.is_some()) {
        undo::take_back(context, &reason).await?;
    }
    let result = WireError::exec(reason).to_json();
    let end = |row: &mut JobRow| {
        row.journal = None;
        close(row, context.op, JobStatus::Error, result.clone(), now);
    };
    context.cell.persist_change(context.master.store(), Transaction::default(), end).await.map_err(|error| error.to_string())
}

/// Writes the end of an opcode into `row`; after a failure, also that of those behind it.
pub(super) fn close(row: &mut JobRow, op: usize, status: JobStatus, result: Value, now: gannet_core::quantity::Timestamp) {
    let record = &mut row.job.ops[op];
    record.status = status;
    record.result = result.clone();
    record.end = Some(now);
    if status != JobStatus::Success {
        let (rest_status, rest_result) = match status {
            JobStatus::Canceled => (JobStatus::Canceled, result.clone()),
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
