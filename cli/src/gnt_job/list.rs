//! `gnt-job list`

use gannet_core::query::{Filter, Resource, filter};

use crate::context::{Context, Outcome};
use crate::table;

/// Options that select jobs by their status, and which ones; the last option counts.
const SELECTIONS: [(&str, &[&str]); 6] = [
    ("pending", &["queued", "waiting", "canceling"]),
    ("queued", &["queued"]),
    ("waiting", &["waiting"]),
    ("running", &["running"]),
    ("error", &["error"]),
    ("finished", &["canceled", "error", "success"]),
];

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let condition = status_filter(context).unwrap_or(Filter::Empty);
    let more: &[&str] = if context.args.flag("archived") { &["archived"] } else { &[] };
    table::list_with(context, Resource::Job, condition, more)
}

/// The condition of `--pending` and the like; `None` when none was given.
pub(super) fn status_filter(context: &Context<'_>) -> Option<Filter> {
    let ids = SELECTIONS.map(|(id, _)| id);
    let last = context.args.last_of(&ids)?;
    let (_, statuses) = SELECTIONS.iter().find(|(id, _)| *id == last)?;
    Some(filter::make_simple_filter("status", statuses))
}
