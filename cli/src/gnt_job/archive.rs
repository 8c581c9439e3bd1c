//! `gnt-job archive` and `autoarchive`

use gannet_core::luxi::Method;
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};
use crate::parse::parse_duration;

/// How long the master may look for jobs to archive, in seconds; it tells how many are left.
const TIMEOUT_S: u64 = 89;

pub(super) fn archive(context: &mut Context<'_>) -> Outcome {
    let mut code = SUCCESS;
    for id in super::change::ids(context)? {
        if context.call(Method::ArchiveJob, &json!([id]))? != Value::Bool(true) {
            context.io.note(format_args!("Failed to archive job with ID '{id}': it does not exist or has not ended"));
            code = FAILURE;
        }
    }
    Ok(code)
}

pub(super) fn autoarchive(context: &mut Context<'_>) -> Outcome {
    let age = match context.args.arg(0) {
        "all" => -1,
        text => i64::try_from(parse_duration(text).map_err(Failure::invalid)?).unwrap_or(i64::MAX),
    };
    let result = context.call(Method::AutoArchiveJobs, &json!([age, TIMEOUT_S]))?;
    let number = |at: usize| result.get(at).and_then(Value::as_u64).unwrap_or(0);
    context.io.line(format_args!("Archived {} jobs, {} unchecked left", number(0), number(1)));
    Ok(SUCCESS)
}
