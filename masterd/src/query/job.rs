//! Jobs.

use gannet_core::error::{ErrorCode, WireError};
use gannet_core::id::JobId;
use gannet_core::job::{Job, JobOp};
use gannet_core::quantity::Timestamp;
use gannet_core::query::{FilterValue, Resource};
use serde_json::Value;

use super::cell::Cell;
use super::table::{Answer, Plan, Request, Style, Table};
use crate::job::JobRow;
use crate::master::Master;

/// Archived jobs that are read in one go.
const PAGE: u32 = 500;

/// One job, which may not exist: Ganeti answers a row with its number alone then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) id: JobId,
    pub(crate) job: Option<&'a Job>,
    pub(crate) archived: bool,
}

/// Jobs.
pub(crate) struct Jobs;

/// A field of jobs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Archived,
    Id,
    Of(fn(&Job) -> Cell<'static>),
    OfEach(fn(&JobOp) -> Value),
}

impl<'a> Table<'a> for Jobs {
    type Row = Found<'a>;
    type Column = Column;

    const RESOURCE: Resource = Resource::Job;

    fn column(name: &str) -> Option<Column> {
        Some(match name {
            "archived" => Column::Archived,
            "id" => Column::Id,
            "end_ts" => Column::Of(|job| time(job.end)),
            "opend" => Column::OfEach(|op| pair(op.end)),
            "opexec" => Column::OfEach(|op| pair(op.exec)),
            "oplog" => Column::OfEach(|op| serde_json::to_value(&op.log).unwrap_or_default()),
            "oppriority" => Column::OfEach(|op| op.priority.into()),
            "opresult" => Column::OfEach(|op| op.result.clone()),
            // The form for people: private and secret values are not shown.
            "ops" => Column::OfEach(|op| op.input.for_display().unwrap_or_default()),
            "opstart" => Column::OfEach(|op| pair(op.start)),
            "opstatus" => Column::OfEach(|op| op.status.as_str().into()),
            "priority" => Column::Of(|job| Cell::Int(job.priority().into())),
            "received_ts" => Column::Of(|job| time(job.received)),
            "start_ts" => Column::Of(|job| time(job.start)),
            "status" => Column::Of(|job| job.status().as_str().into()),
            "summary" => Column::OfEach(|op| op.input.op.summary().into()),
            _ => return None,
        })
    }

    fn cell(&self, row: Found<'a>, column: &Column) -> Cell<'a> {
        match (column, row.job) {
            (Column::Id, _) => row.id.0.into(),
            (_, None) => Cell::UNAVAIL,
            (Column::Archived, Some(_)) => row.archived.into(),
            (Column::Of(get), Some(job)) => get(job),
            (Column::OfEach(get), Some(job)) => Cell::Json(job.ops.iter().map(get).collect()),
        }
    }
}

fn time(time: Option<Timestamp>) -> Cell<'static> {
    time.map_or(Cell::UNAVAIL, Cell::json)
}

fn pair(time: Option<Timestamp>) -> Value {
    serde_json::to_value(time).unwrap_or_default()
}

/// The values of fields of one job; null for an unknown field (Ganeti, in `WaitForJobChange`).
#[must_use]
pub(crate) fn values(row: &JobRow, fields: &[String]) -> Vec<Value> {
    let found = Found { id: row.job.id, job: Some(&row.job), archived: false };
    fields.iter().map(|name| Jobs::column(name).map_or(Value::Null, |column| Jobs.cell(found, &column).to_value())).collect()
}

/// Answers a request about jobs. With the field `archived`, asked or filtered by, the archive is listed too.
///
/// # Errors
/// A job number that is none, a filter that cannot be applied, or the store does not answer.
pub(crate) async fn answer(master: &Master, request: &Request<'_>) -> Result<String, WireError> {
    match request.names(Resource::Job) {
        Some(names) if !names.is_empty() => {
            let ids = names.into_iter().map(job_id).collect::<Result<Vec<_>, _>>()?;
            of_ids(master, &request.unfiltered(), &ids).await
        }
        _ => of_all(master, request).await,
    }
}

fn job_id(value: &FilterValue) -> Result<JobId, WireError> {
    let invalid = || WireError::prereq(format!("Invalid job ID {value}"), ErrorCode::Invalid);
    match value {
        FilterValue::Number(number) => u64::try_from(*number).map(JobId).map_err(|_| invalid()),
        FilterValue::Text(text) => text.parse().map_err(|_| invalid()),
    }
}

/// Those jobs, wherever they are.
async fn of_ids(master: &Master, request: &Request<'_>, ids: &[JobId]) -> Result<String, WireError> {
    let plan = Plan::new::<Jobs>(request)?;
    let mut answer = Answer::new(&plan, ids.len());
    for &id in ids {
        let is_here = master.queue().get(id).map(|cell| {
            cell.read(|row| answer.add(&plan, &Jobs, Found { id, job: Some(&row.job), archived: false }));
        });
        if is_here.is_none() {
            let archived = master.queue().archived(id).await.map_err(|error| WireError::new("GenericError", error.to_string()))?;
            answer.add(&plan, &Jobs, Found { id, job: archived.as_ref().map(|row| &row.job), archived: true });
        }
    }
    Ok(answer.finish())
}

async fn of_all(master: &Master, request: &Request<'_>) -> Result<String, WireError> {
    let plan = Plan::new::<Jobs>(request)?;
    let archived = if request.uses(&["archived"]) { archive(master).await? } else { Vec::new() };
    let mut archived = archived.iter().peekable();
    let cells = master.queue().all();
    let mut answer = Answer::new(&plan, if request.style == Style::New { cells.len().min(10_000) } else { 0 });
    let mut add = |found: Found<'_>| -> Result<(), WireError> {
        if plan.wants(&Jobs, found)? {
            answer.add(&plan, &Jobs, found);
        }
        Ok(())
    };
    // Both are sorted by number.
    for cell in cells {
        while let Some(row) = archived.next_if(|row| row.job.id < cell.id()) {
            add(Found { id: row.job.id, job: Some(&row.job), archived: true })?;
        }
        cell.read(|row| add(Found { id: row.job.id, job: Some(&row.job), archived: false }))?;
    }
    for row in archived {
        add(Found { id: row.job.id, job: Some(&row.job), archived: true })?;
    }
    Ok(answer.finish())
}

/// All archived jobs.
async fn archive(master: &Master) -> Result<Vec<JobRow>, WireError> {
    let mut jobs = Vec::new();
    let mut after = String::new();
    loop {
        let page = master.store().client().list(gannet_confd::command::Kind::ARCHIVE, &after, PAGE).await;
        let page = page.map_err(|error| WireError::new("GenericError", error.to_string()))?;
        // A page may be short; only an empty one is the end.
        let Some(last) = page.last() else { return Ok(jobs) };
        after.clone_from(&last.key.id);
        jobs.extend(page.iter().filter_map(|row| serde_json::from_str::<JobRow>(&row.json).ok()));
    }
}
