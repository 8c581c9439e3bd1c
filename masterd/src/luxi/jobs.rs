//! Methods about jobs.

use std::sync::Arc;
use std::time::Duration;

use gannet_core::error::{ErrorCode, WireError};
use gannet_core::id::JobId;
use gannet_core::job::LogEntry;
use gannet_core::luxi::WAIT_FOR_JOB_CHANGE_MAX_S;
use gannet_core::opcode::{OpCode, Priority};
use serde_json::{Value, json};

use super::methods::{pair, parse};
use crate::job::JobRow;
use crate::master::Master;
use crate::query;

/// Reads the opcodes of a job.
fn opcodes(list: Vec<Value>) -> Result<Vec<OpCode>, WireError> {
    list.into_iter()
        .map(|value| OpCode::from_json(value).map_err(|error| WireError::prereq(error.to_string(), ErrorCode::Invalid)))
        .collect()
}

pub(super) async fn submit(master: &Arc<Master>, args: Value, even_drained: bool) -> Result<Value, WireError> {
    let (list,): (Vec<Value>,) = parse(args)?;
    let id = master.queue().submit(opcodes(list)?, even_drained).await.map_err(|error| WireError::from(&error))?;
    Ok(json!(id))
}

pub(super) async fn submit_many(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (lists,): (Vec<Vec<Value>>,) = parse(args)?;
    let parsed: Result<Vec<Vec<OpCode>>, WireError> = lists.into_iter().map(opcodes).collect();
    let outcomes = master.queue().submit_many(parsed?).await.map_err(|error| WireError::from(&error))?;
    let rows = outcomes.into_iter().map(|outcome| match outcome {
        Ok(id) => json!([true, id]),
        Err(error) => json!([false, error.to_string()]),
    });
    Ok(rows.collect())
}

pub(super) async fn cancel(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    // Ganeti takes a list of one, too: kill=false.
    let args: Vec<Value> = parse(args)?;
    let id: JobId = parse(args.first().cloned().unwrap_or_default())?;
    let kill = args.get(1).and_then(Value::as_bool).unwrap_or(false);
    let (canceled, text) = master.queue().cancel(id).await.map_err(|error| WireError::from(&error))?;
    if kill && !canceled && master.queue().find(id).is_some_and(|entry| !entry.status().is_final()) {
        // Ganeti kills the job's process, and leaves on the nodes whatever it had begun.
        let text = format!("{text}; killing it is not available, because what it has begun on nodes would be left there");
        return Ok(pair((false, text)));
    }
    Ok(pair((canceled, text)))
}

pub(super) async fn change_priority(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (id, priority): (JobId, i32) = parse(args)?;
    let priority = Priority::try_from(priority).map_err(|error| WireError::prereq(error.to_string(), ErrorCode::Invalid))?;
    master.queue().change_priority(id, priority).await.map(pair).map_err(|error| WireError::from(&error))
}

pub(super) async fn archive(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (id,): (JobId,) = parse(args)?;
    master.queue().archive(id).await.map(Value::Bool).map_err(|error| WireError::from(&error))
}

pub(super) async fn auto_archive(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (age, limit): (i64, u64) = parse(args)?;
    let (archived, left) = master.queue().auto_archive(age, Duration::from_secs(limit)).await.map_err(|error| WireError::from(&error))?;
    Ok(json!([archived, left]))
}

pub(super) async fn set_drain_flag(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (flag,): (bool,) = parse(args)?;
    master.queue().set_drained(flag).await.map_err(|error| WireError::from(&error))?;
    Ok(Value::Bool(true))
}

/// Waits until one of the fields differs from what the client saw, or the log has entries after the last one it saw.
pub(super) async fn wait_for_change(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (id, fields, seen, last, limit): (JobId, Vec<String>, Option<Vec<Value>>, Option<u64>, u64) = parse(args)?;
    let lost = || WireError::new("JobLost", format!("Job {id} lost"));
    let look = |row: &JobRow| changed(row, &fields, seen.as_deref(), last);
    let limit = Duration::from_secs(limit.min(WAIT_FOR_JOB_CHANGE_MAX_S));
    if let Some(found) = master.queue().wait_for_change(id, limit, look).await {
        return Ok(found.unwrap_or_else(|| json!("nochange")));
    }
    let row = match master.queue().finished(id).await.map_err(|error| WireError::from(&error))? {
        Some(row) => row,
        None => master.queue().archived(id).await.map_err(|error| WireError::from(&error))?.ok_or_else(lost)?,
    };
    Ok(changed(&row, &fields, seen.as_deref(), last).unwrap_or_else(|| json!("nochange")))
}

fn changed(row: &JobRow, fields: &[String], seen: Option<&[Value]>, last: Option<u64>) -> Option<Value> {
    let values = query::job_values(row, fields);
    let log: Vec<&LogEntry> = row.job.ops.iter().flat_map(|op| &op.log).filter(|entry| last.is_none_or(|last| entry.0 > last)).collect();
    let is_new = seen != Some(values.as_slice());
    // A finished job never changes again: a client that asks without having seen anything must not wait for it.
    (is_new || !log.is_empty() || row.job.status().is_final()).then(|| json!([values, log]))
}
