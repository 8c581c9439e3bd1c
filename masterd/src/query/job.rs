//! Jobs.

mod stored;

use gannet_confd::command::Kind;
use gannet_core::error::{ErrorCode, WireError};
use gannet_core::id::JobId;
use gannet_core::job::{Job, JobOp};
use gannet_core::quantity::Timestamp;
use gannet_core::query::{FilterValue, Resource};
use serde_json::Value;

use super::cell::Cell;
use super::table::{Answer, Plan, Request, Table};
use crate::job::{Brief, Entry, JobRow};
use crate::master::Master;
use crate::store::CommitError;
use stored::{DENSE, Stored};

/// One job, which may not exist: Ganeti answers a row with its number alone then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) id: JobId,
    pub(crate) job: Known<'a>,
    pub(crate) archived: bool,
}

/// What is known of a job.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known<'a> {
    Nothing,
    Brief(&'a Brief),
    Whole(&'a Job),
}

/// Jobs.
pub(crate) struct Jobs;

/// A field of jobs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Archived,
    Id,
    /// Known of every job.
    Of(fn(&Job) -> Cell<'static>, fn(&Brief) -> Cell<'static>),
    /// In the whole job only.
    OfEach(fn(&JobOp) -> Value),
}

/// The fields that [`Brief`] has.
const BRIEF_FIELDS: [&str; 8] = ["archived", "end_ts", "id", "priority", "received_ts", "start_ts", "status", "summary"];

impl<'a> Table<'a> for Jobs {
    type Row = Found<'a>;
    type Column = Column;

    const RESOURCE: Resource = Resource::Job;

    fn column(name: &str) -> Option<Column> {
        Some(match name {
            "archived" => Column::Archived,
            "id" => Column::Id,
            "end_ts" => Column::Of(|job| time(job.end), |brief| time(brief.end)),
            "opend" => Column::OfEach(|op| pair(op.end)),
            "opexec" => Column::OfEach(|op| pair(op.exec)),
            "oplog" => Column::OfEach(|op| serde_json::to_value(&op.log).unwrap_or_default()),
            "oppriority" => Column::OfEach(|op| op.priority.into()),
            "opresult" => Column::OfEach(|op| op.result.clone()),
            // The form for people: private and secret values are not shown.
            "ops" => Column::OfEach(|op| op.input.for_display().unwrap_or_default()),
            "opstart" => Column::OfEach(|op| pair(op.start)),
            "opstatus" => Column::OfEach(|op| op.status.as_str().into()),
            "priority" => Column::Of(|job| Cell::Int(job.priority().into()), |brief| Cell::Int(brief.priority.into())),
            "received_ts" => Column::Of(|job| time(job.received), |brief| time(brief.received)),
            "start_ts" => Column::Of(|job| time(job.start), |brief| time(brief.start)),
            "status" => Column::Of(|job| job.status().as_str().into(), |brief| brief.status.as_str().into()),
            "summary" => Column::Of(
                |job| Cell::Json(job.ops.iter().map(|op| Value::from(op.input.op.summary())).collect()),
                |brief| Cell::Json(serde_json::from_str(brief.summary()).unwrap_or_default()),
            ),
            _ => return None,
        })
    }

    fn cell(&self, row: Found<'a>, column: &Column) -> Cell<'a> {
        match (column, row.job) {
            (Column::Id, _) => row.id.0.into(),
            (_, Known::Nothing) => Cell::UNAVAIL,
            (Column::Archived, _) => row.archived.into(),
            (Column::Of(get, _), Known::Whole(job)) => get(job),
            (Column::Of(_, get), Known::Brief(brief)) => get(brief),
            (Column::OfEach(get), Known::Whole(job)) => Cell::Json(job.ops.iter().map(get).collect()),
            // Only in the first round of a filter; the second one has the whole job.
            (Column::OfEach(_), Known::Brief(_)) => Cell::Pending,
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
    let found = Found { id: row.job.id, job: Known::Whole(&row.job), archived: false };
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
    let needs_whole = needs_whole(request);
    let mut answer = Answer::new(&plan, ids.len());
    for &id in ids {
        match master.queue().find(id) {
            Some(Entry::Whole(cell)) => {
                cell.read(|row| answer.add(&plan, &Jobs, Found { id, job: Known::Whole(&row.job), archived: false }));
            }
            Some(Entry::Brief(brief)) if !needs_whole => {
                answer.add(&plan, &Jobs, Found { id, job: Known::Brief(&brief), archived: false });
            }
            Some(Entry::Brief(_)) | None => {
                let (row, archived) = stored(master, id).await?;
                let job = row.as_ref().map_or(Known::Nothing, |row| Known::Whole(&row.job));
                answer.add(&plan, &Jobs, Found { id, job, archived });
            }
        }
    }
    Ok(answer.finish())
}

/// A job from the store, and whether it is archived.
async fn stored(master: &Master, id: JobId) -> Result<(Option<JobRow>, bool), WireError> {
    let unavailable = |error: CommitError| WireError::new("GenericError", error.to_string());
    if let Some(row) = master.queue().finished(id).await.map_err(unavailable)? {
        return Ok((Some(row), false));
    }
    Ok((master.queue().archived(id).await.map_err(unavailable)?, true))
}

/// Whether a field is asked, or filtered by, that [`Brief`] does not have.
fn needs_whole(request: &Request<'_>) -> bool {
    let asked = request.fields.iter().map(String::as_str).chain(request.filter.fields());
    asked.into_iter().any(|name| !BRIEF_FIELDS.contains(&name) && Jobs::column(name).is_some())
}

/// All jobs, oldest first.
async fn of_all(master: &Master, request: &Request<'_>) -> Result<String, WireError> {
    let plan = Plan::new::<Jobs>(request)?;
    let needs_whole = needs_whole(request);
    let mut entries = Vec::new();
    for (id, entry) in master.queue().all() {
        let passes = match &entry {
            Entry::Whole(_) => true,
            Entry::Brief(brief) => plan.wants(&Jobs, Found { id, job: Known::Brief(brief), archived: false })?,
        };
        if passes {
            entries.push((id, entry));
        }
    }
    let mut archive = request.uses(&["archived"]).then(|| Stored::new(Kind::ARCHIVE));
    let mut finished = Stored::new(Kind::JOB);
    let mut list = List { answer: Answer::new(&plan, entries.len().min(10_000)), plan: &plan };
    for (index, (id, entry)) in entries.iter().enumerate() {
        if let Some(archive) = &mut archive {
            archive.each_before(master, Some(*id), |row| list.add(whole(row, true))).await?;
        }
        match entry {
            Entry::Whole(cell) => cell.read(|row| list.add(whole(row, false)))?,
            Entry::Brief(brief) if !needs_whole => list.add(Found { id: *id, job: Known::Brief(brief), archived: false })?,
            Entry::Brief(_) => match finished.find(master, *id, entries.get(index + DENSE).map(|(id, _)| *id)).await? {
                Some(row) => list.add(whole(&row, false))?,
                // It was archived while we looked.
                None => {
                    if let (Some(row), archived) = stored(master, *id).await? {
                        list.add(whole(&row, archived))?;
                    }
                }
            },
        }
    }
    if let Some(archive) = &mut archive {
        archive.each_before(master, None, |row| list.add(whole(row, true))).await?;
    }
    Ok(list.answer.finish())
}

fn whole(row: &JobRow, archived: bool) -> Found<'_> {
    Found { id: row.job.id, job: Known::Whole(&row.job), archived }
}

/// An answer under way.
struct List<'p> {
    answer: Answer,
    plan: &'p Plan<'p, Column>,
}

impl List<'_> {
    fn add(&mut self, found: Found<'_>) -> Result<(), WireError> {
        if self.plan.wants(&Jobs, found)? {
            self.answer.add(self.plan, &Jobs, found);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
