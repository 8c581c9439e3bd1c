//! Jobs.

use std::iter::Peekable;
use std::sync::Arc;

use gannet_confd::command::Kind;
use gannet_core::error::{ErrorCode, WireError};
use gannet_core::id::JobId;
use gannet_core::job::{Job, JobOp};
use gannet_core::quantity::Timestamp;
use gannet_core::query::{FilterValue, Resource};
use serde_json::Value;

use super::cell::Cell;
use super::table::{Answer, Plan, Request, Table};
use crate::job::{JobCell, JobRow};
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

/// All jobs, oldest first. The archive may be far larger than memory should be: it is read page by page.
async fn of_all(master: &Master, request: &Request<'_>) -> Result<String, WireError> {
    let plan = Plan::new::<Jobs>(request)?;
    let cells = master.queue().all();
    let mut list = List { answer: Answer::new(&plan, cells.len().min(10_000)), plan: &plan, cells: cells.into_iter().peekable() };
    if request.uses(&["archived"]) {
        let mut after = String::new();
        loop {
            let page = master.store().client().list(Kind::ARCHIVE, &after, PAGE).await;
            let page = page.map_err(|error| WireError::new("GenericError", error.to_string()))?;
            // A page may be short; only an empty one is the end.
            let Some(last) = page.last() else { break };
            after.clone_from(&last.key.id);
            for row in page.iter().filter_map(|row| serde_json::from_str::<JobRow>(&row.json).ok()) {
                list.add_archived(&row)?;
            }
        }
    }
    list.finish()
}

/// An answer about jobs of the queue and of the archive, both sorted by number.
struct List<'p, I: Iterator> {
    answer: Answer,
    plan: &'p Plan<'p, Column>,
    cells: Peekable<I>,
}

impl<I: Iterator<Item = Arc<JobCell>>> List<'_, I> {
    fn add(&mut self, found: Found<'_>) -> Result<(), WireError> {
        if self.plan.wants(&Jobs, found)? {
            self.answer.add(self.plan, &Jobs, found);
        }
        Ok(())
    }

    fn add_cell(&mut self, cell: &JobCell) -> Result<(), WireError> {
        cell.read(|row| self.add(Found { id: row.job.id, job: Some(&row.job), archived: false }))
    }

    fn add_archived(&mut self, row: &JobRow) -> Result<(), WireError> {
        let id = row.job.id;
        while let Some(cell) = self.cells.next_if(|cell| cell.id() < id) {
            self.add_cell(&cell)?;
        }
        // It was archived while we looked: once is enough.
        self.cells.next_if(|cell| cell.id() == id);
        self.add(Found { id, job: Some(&row.job), archived: true })
    }

    fn finish(mut self) -> Result<String, WireError> {
        while let Some(cell) = self.cells.next() {
            self.add_cell(&cell)?;
        }
        Ok(self.answer.finish())
    }
}

#[cfg(test)]
mod tests {
    use gannet_core::opcode::OpCode;
    use serde_json::json;

    use super::*;
    use crate::query::table::Style;

    fn row(id: u64) -> JobRow {
        let op = OpCode::from_json(json!({"OP_ID": "OP_TEST_DELAY", "duration": 1.0})).unwrap();
        JobRow { job: Job::new(JobId(id), vec![op], Timestamp(0)), journal: None }
    }

    #[test]
    fn queue_and_archive_are_merged_by_number() {
        let fields = ["id".to_owned(), "archived".to_owned()];
        let request = Request { fields: &fields, filter: gannet_core::query::Filter::Empty, style: Style::Classic };
        let plan = Plan::new::<Jobs>(&request).unwrap();
        let cells = [2, 3, 7].map(|id| Arc::new(JobCell::new(row(id), 1)));
        let mut list = List { answer: Answer::new(&plan, 0), plan: &plan, cells: cells.into_iter().peekable() };
        for id in [1, 3, 5] {
            list.add_archived(&row(id)).unwrap();
        }
        assert_eq!(list.finish().unwrap(), "[[1,true],[2,false],[3,true],[5,true],[7,false]]");
    }
}
