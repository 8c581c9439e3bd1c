//! Following one job: its log as it grows, its result at the end.

use std::time::{Duration, Instant};

use gannet_core::error::{STATE_UNAVAILABLE, WireError};
use gannet_core::id::JobId;
use gannet_core::job::{JobStatus, LogEntry};
use gannet_core::luxi::{self, JobChange, Method};
use serde_json::{Value, json};

use super::interrupt;
use super::progress::Progress;
use crate::context::Context;
use crate::exit::Failure;
use crate::{log, time};

/// How long one wait for news lasts, in seconds (Ganeti: `DEFAULT_WFJC_TIMEOUT`).
const WAIT_S: u64 = 60;
/// How long a master that went away (restart, crash) is waited for; jobs go on by themselves.
const MASTER_RETURN: Duration = Duration::from_secs(60);
/// Between two tries to reach it again.
const RETRY: Duration = Duration::from_millis(200);

/// Follows a job until it ends; gives the results of its opcodes. Its log goes to standard output, line by line.
///
/// # Errors
/// The job failed or was canceled, or the master was lost for good.
pub fn follow(context: &mut Context<'_>, job: JobId) -> Result<Vec<Value>, Failure> {
    interrupt::watch(job);
    let mut progress = Progress::new(context.io.is_watched, job);
    let status = watch(context, job, Some(&mut progress));
    progress.finish();
    result(context, job, status?)
}

/// The same without a word on the way.
///
/// # Errors
/// As [`follow`].
pub fn follow_silently(context: &mut Context<'_>, job: JobId) -> Result<Vec<Value>, Failure> {
    interrupt::watch(job);
    let status = watch(context, job, None)?;
    result(context, job, status)
}

fn watch(context: &mut Context<'_>, job: JobId, mut progress: Option<&mut Progress>) -> Result<JobStatus, Failure> {
    let mut seen: Option<Vec<Value>> = None;
    let mut last_serial = None;
    let mut told = Vec::new();
    loop {
        // The first waits are short: a job that stays in the queue is worth a word.
        let timeout = if told.is_empty() { 1 } else { WAIT_S };
        let change = reconnecting(context, |client| client.wait_for_job_change(job, &["status"], seen.as_deref(), last_serial, timeout))?;
        match change {
            JobChange::NoChange => {
                let status = seen.as_ref().and_then(|fields| status_of(fields));
                if progress.is_some() {
                    tell_waiting(context, job, status, &mut told);
                }
            }
            JobChange::Changed(fields, entries) => {
                for entry in entries {
                    last_serial = last_serial.max(Some(entry.0));
                    if let Some(progress) = progress.as_deref_mut() {
                        show(context, &entry, progress);
                    }
                }
                let Some(status) = status_of(&fields) else { return Err(lost(job)) };
                if let Some(progress) = progress.as_deref_mut() {
                    progress.status(status);
                }
                if status.is_final() {
                    return Ok(status);
                }
                seen = Some(fields);
            }
        }
    }
}

fn status_of(fields: &[Value]) -> Option<JobStatus> {
    fields.first().and_then(Value::as_str).and_then(|text| text.parse().ok())
}

fn lost(job: JobId) -> Failure {
    Failure::Remote(WireError::new("JobLost", format!("Job with id {job} lost")))
}

fn tell_waiting(context: &mut Context<'_>, job: JobId, status: Option<JobStatus>, told: &mut Vec<JobStatus>) {
    let Some(status) = status else { return };
    if told.contains(&status) {
        return;
    }
    told.push(status);
    match status {
        JobStatus::Queued => context.io.note(format_args!("Job {job} is waiting in queue")),
        JobStatus::Waiting => context.io.note(format_args!("Job {job} is trying to acquire all necessary locks")),
        _ => {}
    }
}

fn show(context: &mut Context<'_>, entry: &LogEntry, progress: &mut Progress) {
    let LogEntry(_, timestamp, kind, message) = entry;
    let stamp = time::ctime(*timestamp);
    for line in log::lines(*kind, message) {
        progress.message(&line);
        progress.above(|| {
            context.io.line(format_args!("{stamp} {line}"));
            context.io.flush();
        });
    }
}

/// Calls what changes nothing; when the master goes away meanwhile, asks the next one, or this one when it is back.
///
/// # Errors
/// No master answered in time; or as the call.
pub fn reconnecting<T>(context: &mut Context<'_>, mut call: impl FnMut(&mut luxi::Client) -> Result<T, luxi::Error>) -> Result<T, Failure> {
    let mut deadline = None;
    loop {
        let failure = match context.client() {
            Ok(client) => match call(client) {
                Ok(value) => {
                    context.note_origin();
                    return Ok(value);
                }
                Err(error @ luxi::Error::Closed { .. }) => Failure::Luxi(error),
                // A standby that knows no master, for now.
                Err(luxi::Error::Remote(error)) if error.class == STATE_UNAVAILABLE => Failure::Remote(error),
                Err(other) => {
                    context.note_origin();
                    return Err(other.into());
                }
            },
            // The daemon of this node is being started again, perhaps as a standby that passes questions on.
            Err(failure @ (Failure::Luxi(luxi::Error::NoMaster { .. }) | Failure::NotMaster(_))) if deadline.is_some() => failure,
            Err(failure) => return Err(failure),
        };
        context.disconnect();
        let until = *deadline.get_or_insert_with(|| {
            context.io.note("The master daemon went away; jobs go on when it is back, or on another node. Waiting for it...");
            Instant::now() + MASTER_RETURN
        });
        if Instant::now() >= until {
            return Err(failure);
        }
        std::thread::sleep(RETRY);
    }
}

fn result(context: &mut Context<'_>, job: JobId, status: JobStatus) -> Result<Vec<Value>, Failure> {
    let rows = reconnecting(context, |client| client.call(Method::QueryJobs, &json!([[job], ["opstatus", "opresult"]])))?;
    let column = |at: usize| rows.get(0).and_then(|row| row.get(at)).and_then(Value::as_array).cloned();
    let (Some(statuses), Some(results)) = (column(0), column(1)) else { return Err(lost(job)) };
    match status {
        JobStatus::Success => Ok(results),
        JobStatus::Canceled => Err(Failure::Remote(WireError::exec("Job was canceled"))),
        _ => Err(Failure::Remote(first_error(&statuses, &results))),
    }
}

/// The error of the first opcode that failed, with a word on those that did not.
fn first_error(statuses: &[Value], results: &[Value]) -> WireError {
    let failed = statuses.iter().zip(results).enumerate().find(|(_, (status, _))| *status == "error");
    let Some((index, (_, result))) = failed else { return WireError::exec(json!(results).to_string()) };
    if let Some(error) = WireError::from_json(result) {
        return error;
    }
    let text = result.as_str().map_or_else(|| result.to_string(), str::to_owned);
    match index {
        0 => WireError::exec(text),
        index => WireError::exec(format!("partial failure (opcode {index}): {text}")),
    }
}
