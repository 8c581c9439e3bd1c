//! `gnt-job cancel` and `change-priority`: of the named jobs, or of all with a status.

use gannet_core::id::JobId;
use gannet_core::luxi::Method;
use gannet_core::query::{Filter, Resource};
use serde_json::{Value, json};

use super::list::status_filter;
use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{CONFIRMATION, FAILURE, Failure, SUCCESS};
use crate::table;

pub(super) fn cancel(context: &mut Context<'_>) -> Outcome {
    let kill = context.args.flag("kill");
    if kill && !context.args.flag("yes-do-it") {
        return Err(Failure::invalid("The --kill option must be confirmed with --yes-do-it"));
    }
    let sure = context.args.flag("force") || context.args.flag("yes-do-it");
    for_jobs(context, "Cancel", sure, move |context, id| context.call(Method::CancelJob, &json!([id, kill])))
}

pub(super) fn priority(context: &mut Context<'_>) -> Outcome {
    let priority = match context.args.text("priority") {
        Some("low") => 10,
        Some("normal") => 0,
        Some("high") => -10,
        _ => return Err(Failure::invalid("--priority option must be given")),
    };
    let sure = context.args.flag("force");
    for_jobs(context, "Change priority of", sure, move |context, id| context.call(Method::ChangeJobPriority, &json!([id, priority])))
}

/// The job ids among the arguments.
///
/// # Errors
/// One is no number.
pub(super) fn ids(context: &Context<'_>) -> Result<Vec<JobId>, Failure> {
    let parse = |word: &String| word.parse().map_err(|_| Failure::invalid(format!("Invalid job ID passed: '{word}'")));
    context.args.positional().iter().map(parse).collect()
}

fn for_jobs(
    context: &mut Context<'_>,
    action: &str,
    sure: bool,
    mut change: impl FnMut(&mut Context<'_>, JobId) -> Result<Value, Failure>,
) -> Outcome {
    let filter = status_filter(context);
    let ids = match (filter, ids(context)?) {
        (Some(_), ids) if !ids.is_empty() => {
            return Err(Failure::invalid("If a job filter is specified no job arguments can be given"));
        }
        (None, ids) if ids.is_empty() => {
            return Err(Failure::invalid("Either a job filter or job IDs must be specified"));
        }
        (None, ids) => ids,
        (Some(filter), _) => match with_status(context, action, sure, &filter)? {
            Some(ids) => ids,
            None => return Ok(CONFIRMATION),
        },
    };
    let mut code = SUCCESS;
    for id in ids {
        let result = change(context, id)?;
        let text = result.get(1).and_then(Value::as_str).unwrap_or_default();
        match result.get(0).and_then(Value::as_bool) {
            Some(true) => context.io.line(text),
            _ => {
                context.io.note(text);
                code = FAILURE;
            }
        }
    }
    Ok(code)
}

/// The jobs with a status, after the operator agreed; `None` if not.
fn with_status(context: &mut Context<'_>, action: &str, sure: bool, filter: &Filter) -> Result<Option<Vec<JobId>>, Failure> {
    let fields = ["id", "status", "summary"].map(str::to_owned);
    let response = table::query(context, Resource::Job, &fields, filter)?;
    let ids: Vec<JobId> = response.data.iter().filter_map(|row| serde_json::from_value(row.first()?.value.clone()).ok()).collect();
    if ids.is_empty() {
        return Err(Failure::invalid("No jobs with the requested status have been found"));
    }
    if sure {
        return Ok(Some(ids));
    }
    table::print(context, Resource::Job, &response)?;
    Ok(confirm::yes(context.io, &format!("{action} job(s) listed above?")).then_some(ids))
}
