//! Jobs over LUXI: submit, follow, look into.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use gannet_core::luxi::{Client, Method};
use serde_json::{Value, json};

/// What tests want to know of a job that has ended.
#[derive(Debug, Clone)]
pub struct Ended {
    pub id: u64,
    /// `success`, `error` or `canceled`.
    pub status: String,
    pub opresult: Value,
    /// All messages of the log, joined.
    pub log: String,
}

impl Ended {
    /// Results and log in one text, for looking for words.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {}", self.opresult, self.log)
    }
}

/// A trivial job: `OP_TEST_DELAY` of no time on the master.
#[must_use]
pub fn nothing() -> Value {
    delay(0.0)
}

/// `OP_TEST_DELAY`.
#[must_use]
pub fn delay(seconds: f64) -> Value {
    json!({"OP_ID": "OP_TEST_DELAY", "duration": seconds, "on_master": true, "on_nodes": [], "repeat": 0})
}

/// Submits one job.
///
/// # Errors
/// It was refused.
pub fn submit(client: &mut Client, opcodes: &[Value]) -> Result<u64> {
    let answer = client.call(Method::SubmitJob, &json!([opcodes]))?;
    id(&answer)
}

/// A job's id; Ganeti has it as a number, older clients as a text.
///
/// # Errors
/// It is neither.
pub fn id(value: &Value) -> Result<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).with_context(|| format!("{value} is not a job id"))
}

/// Fields of a job.
///
/// # Errors
/// There is no such job.
pub fn fields(client: &mut Client, job: u64, names: &[&str]) -> Result<Vec<Value>> {
    let answer = client.call(Method::QueryJobs, &json!([[job], names]))?;
    let row = answer.get(0).and_then(Value::as_array).with_context(|| format!("there is no job {job}: {answer}"))?;
    Ok(row.clone())
}

/// A job's status.
///
/// # Errors
/// There is no such job.
pub fn status(client: &mut Client, job: u64) -> Result<String> {
    let row = fields(client, job, &["status"])?;
    row[0].as_str().map(str::to_owned).with_context(|| format!("job {job} has no status: {row:?}"))
}

/// Whether a status is final.
#[must_use]
pub fn is_final(status: &str) -> bool {
    matches!(status, "success" | "error" | "canceled")
}

/// Waits until a job has ended.
///
/// # Errors
/// It did not end in time.
pub fn wait(client: &mut Client, job: u64, limit: Duration) -> Result<Ended> {
    let deadline = Instant::now() + limit;
    let mut previous: Option<Vec<Value>> = None;
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).as_secs();
        let change = client.call(Method::WaitForJobChange, &json!([job, ["status"], previous, null, left.clamp(1, 60)]))?;
        if let Some(status) = change.get(0).and_then(|info| info.get(0)).and_then(Value::as_str) {
            if is_final(status) {
                return ended(client, job);
            }
            previous = Some(vec![json!(status)]);
        }
        if Instant::now() >= deadline {
            let row = fields(client, job, &["status", "ops", "oplog"])?;
            bail!("job {job} did not end within {} s: {row:?}", limit.as_secs());
        }
    }
}

/// What is known of a job.
///
/// # Errors
/// There is no such job.
pub fn ended(client: &mut Client, job: u64) -> Result<Ended> {
    let row = fields(client, job, &["status", "opresult", "oplog"])?;
    let entries = row[2].as_array().into_iter().flatten().filter_map(Value::as_array).flatten();
    let log = entries.filter_map(|entry| entry.get(3)).map(|text| text.as_str().map_or_else(|| text.to_string(), str::to_owned));
    Ok(Ended {
        id: job,
        status: row[0].as_str().unwrap_or_default().to_owned(),
        opresult: row[1].clone(),
        log: log.collect::<Vec<_>>().join("\n"),
    })
}

/// Submits one job and waits for its end.
///
/// # Errors
/// It was refused, or did not end in time.
pub fn run(client: &mut Client, opcodes: &[Value], limit: Duration) -> Result<Ended> {
    let job = submit(client, opcodes)?;
    wait(client, job, limit)
}
