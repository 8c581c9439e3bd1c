//! `gnt-job watch` and `wait`

use gannet_core::id::JobId;
use serde_json::Value;

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};
use crate::wait::{follow, follow_silently};

pub(super) fn watch(context: &mut Context<'_>) -> Outcome {
    let job = job(context)?;
    let title = format!("Output from job {job} follows");
    context.io.line(&title);
    context.io.line("-".repeat(title.len()));
    context.io.flush();
    let result = follow(context, job);
    conclude(context, job, result)
}

pub(super) fn wait(context: &mut Context<'_>) -> Outcome {
    let job = job(context)?;
    let result = follow_silently(context, job);
    conclude(context, job, result)
}

fn job(context: &Context<'_>) -> Result<JobId, Failure> {
    let ids = super::change::ids(context)?;
    ids.first().copied().ok_or_else(|| Failure::invalid("No job ID passed"))
}

fn conclude(context: &mut Context<'_>, job: JobId, result: Result<Vec<Value>, Failure>) -> Outcome {
    match result {
        Ok(_) => Ok(SUCCESS),
        Err(failure @ Failure::Remote(_)) => {
            context.io.note(format_args!("Job {job} failed: {}", failure.message().unwrap_or_default()));
            Ok(failure.code())
        }
        Err(other) => Err(other),
    }
}
