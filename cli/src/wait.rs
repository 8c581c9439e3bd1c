//! Submitting jobs and following them.

mod follow;
mod interrupt;
pub mod many;
mod progress;

use gannet_core::id::JobId;
use gannet_core::luxi::Method;
use gannet_core::opcode::OpCode;
use serde_json::{Value, json};

pub use follow::{follow, follow_silently, reconnecting};
pub use many::{JobResult, Jobs};

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};

/// Submits one job of one opcode and follows it; gives the opcode's result. With `--submit` nothing is followed: the job's id is
/// printed and the command ends.
///
/// # Errors
/// The master refused the job, or it failed, or [`Failure::Silent`] with code 0 after `--submit`.
pub fn run(context: &mut Context<'_>, op: OpCode) -> Result<Value, Failure> {
    run_all(context, vec![op]).map(|mut results| results.pop().unwrap_or_default())
}

/// The same for a job of several opcodes.
///
/// # Errors
/// As [`run`].
pub fn run_all(context: &mut Context<'_>, ops: Vec<OpCode>) -> Result<Vec<Value>, Failure> {
    let job = submit(context, ops)?;
    if context.args.flag("submit") {
        context.io.line(format_args!("JobID: {job}"));
        return Err(Failure::Silent(SUCCESS));
    }
    if context.args.flag("print-jobid") {
        context.io.line(job);
        context.io.flush();
    }
    follow(context, job)
}

/// The same for a command that shows nothing at the end.
///
/// # Errors
/// As [`run`].
pub fn run_quietly(context: &mut Context<'_>, op: OpCode) -> Outcome {
    run(context, op).map(|_| SUCCESS)
}

/// The same for an opcode whose result is a list of jobs (`job-id-list-result`): follows those too.
///
/// # Errors
/// As [`run`].
pub fn run_with_jobs(context: &mut Context<'_>, op: OpCode) -> Result<(Value, Vec<JobResult>), Failure> {
    let result = run(context, op)?;
    let mut jobs = Jobs::new(false);
    for (success, id) in result.get("jobs").and_then(Value::as_array).into_iter().flatten().filter_map(pair) {
        jobs.add_submitted(success, id);
    }
    let results = jobs.wait(context)?;
    Ok((result, results))
}

fn pair(value: &Value) -> Option<(bool, &Value)> {
    match value.as_array()?.as_slice() {
        [success, id] => Some((success.as_bool()?, id)),
        _ => None,
    }
}

/// Submits one job.
///
/// # Errors
/// The master refused it, or its answer has no job id.
pub fn submit(context: &mut Context<'_>, ops: Vec<OpCode>) -> Result<JobId, Failure> {
    let id = context.call(Method::SubmitJob, &json!([ops]))?;
    job_id(&id)
}

fn job_id(value: &Value) -> Result<JobId, Failure> {
    serde_json::from_value(value.clone()).map_err(|_| Failure::Luxi(gannet_core::luxi::Error::Protocol(format!("{value} is no job id"))))
}
