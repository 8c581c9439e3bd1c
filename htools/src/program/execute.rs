//! `-X`: plans as jobs, one set after the other, by LUXI.
//!
//! A first SIGINT ends after the set that runs; SIGTERM ends at once. Jobs that were submitted go on in either case.

mod signal;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gannet_core::id::JobId;
use gannet_core::job::JobStatus;
use gannet_core::luxi::{Client, Method};
use gannet_core::opcode::{
    Common, InstanceFailover, InstanceMigrate, InstanceReplaceDisks, OpCode, Priority, ReasonEntry, ReplaceDisksMode,
};
use serde_json::{Value, json};

use super::option::Options;
use super::{Io, backend};
use crate::cluster::Cluster;
use crate::id::NodeId;
use crate::job::Planned;
use crate::moves::Move;

/// The first pause between two looks at running jobs; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Jobs that run at the same time, as lists of opcodes.
pub(super) struct JobSet {
    pub jobs: Vec<Vec<OpCode>>,
    pub description: String,
}

/// What jobs say about where they come from.
pub(super) struct Mark {
    comment: String,
    source: &'static str,
    reason: String,
    priority: Priority,
}

impl Mark {
    pub(super) fn new(options: &Options, source: &'static str, comment: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self {
            comment: format!("{comment} {version}"),
            source,
            reason: options.reason.clone().unwrap_or_else(|| format!("{source} {version} called")),
            priority: match options.priority.as_deref() {
                Some("low") => Priority::LOW,
                Some("high") => Priority::HIGH,
                _ => Priority::NORMAL,
            },
        }
    }

    /// The opcode with the mark.
    pub(super) fn put(&self, mut opcode: OpCode) -> OpCode {
        let reason = ReasonEntry { source: self.source.to_owned(), reason: self.reason.clone(), timestamp_ns: nanoseconds_since_1970() };
        opcode.common = Common { comment: Some(self.comment.clone()), priority: self.priority, reason: vec![reason], ..opcode.common };
        opcode
    }
}

fn nanoseconds_since_1970() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|time| i64::try_from(time.as_nanos()).ok()).unwrap_or(0)
}

/// A set of moves as jobs.
pub(super) fn moves(cluster: &Cluster, set: &[&Planned], what: &str) -> JobSet {
    let names: Vec<&str> = set.iter().map(|step| cluster.instance(step.instance).name.as_str()).collect();
    JobSet { jobs: set.iter().map(|step| opcodes(cluster, step)).collect(), description: format!("{what} {}", names.join(",")) }
}

/// A move as opcodes of one job.
fn opcodes(cluster: &Cluster, step: &Planned) -> Vec<OpCode> {
    let instance = cluster.instance(step.instance);
    let node = |id: NodeId| Some(cluster.node(id).name.clone());
    let change = |target: Option<NodeId>| -> OpCode {
        let target_node = target.and_then(node);
        if instance.forthcoming {
            return InstanceFailover { target_node, ..InstanceFailover::new(&instance.name) }.into();
        }
        InstanceMigrate {
            target_node,
            allow_runtime_changes: false,
            allow_failover: true,
            ignore_hvversions: true,
            ..InstanceMigrate::new(&instance.name)
        }
        .into()
    };
    let replace = |target: NodeId| -> OpCode {
        InstanceReplaceDisks { remote_node: node(target), ..InstanceReplaceDisks::new(&instance.name, ReplaceDisksMode::NewSecondary) }
            .into()
    };
    match step.chosen {
        Move::Failover => vec![change(None)],
        Move::FailoverToAny(target) => vec![change(Some(target))],
        Move::ReplacePrimary(target) => vec![change(None), replace(target), change(None)],
        Move::ReplaceSecondary(target) => vec![replace(target)],
        Move::ReplaceAndFailover(target) => vec![replace(target), change(None)],
        Move::FailoverAndReplace(target) => vec![change(None), replace(target)],
    }
}

/// Runs sets one after the other; the next only if all jobs of one succeed.
///
/// # Errors
/// There is no LUXI to use, a job cannot be submitted, or one does not succeed.
pub(super) fn run(options: &Options, io: &mut Io<'_>, mark: &Mark, sets: Vec<JobSet>) -> Result<(), String> {
    if options.luxi.is_none() {
        return Err("Execution of commands possible only on LUXI".to_owned());
    }
    let stop = signal::Stop::watch()?;
    let mut submitted: Vec<(String, Vec<(JobId, JobStatus)>)> = Vec::new();
    let mut left = sets.into_iter();
    while let Some(set) = left.next() {
        if !submitted.is_empty() && stop.asked() {
            return say_stopped(io, &submitted, std::iter::once(set).chain(left));
        }
        // A new connection for each: a set can take hours.
        let mut client = backend::luxi::connect(options)?;
        let jobs = set.jobs.into_iter().map(|job| job.into_iter().map(|opcode| mark.put(opcode)).collect()).collect();
        let ids = submit(&mut client, jobs)?;
        say(io, &format!("Got job IDs {}\n", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")))?;
        let ended = wait(&mut client, &ids)?;
        if ended.iter().any(|(_, status)| *status != JobStatus::Success) {
            let failures: Vec<String> =
                ended.iter().filter(|(_, status)| *status != JobStatus::Success).map(|(id, status)| format!("{id}: {status}")).collect();
            return Err(format!("Not all jobs completed successfully: {}\nAborting.", failures.join(", ")));
        }
        submitted.push((set.description, ended));
    }
    Ok(())
}

fn say_stopped(io: &mut Io<'_>, submitted: &[(String, Vec<(JobId, JobStatus)>)], left: impl Iterator<Item = JobSet>) -> Result<(), String> {
    let left: Vec<String> = left.map(|set| format!("  {}\n", set.description)).collect();
    let jobs = |jobs: &[(JobId, JobStatus)]| jobs.iter().map(|(id, status)| format!("{id} {status}")).collect::<Vec<_>>().join(", ");
    let done: String = submitted.iter().map(|(text, ended)| format!("  {text}: {}\n", jobs(ended))).collect();
    say(io, "Exiting early due to user request, \n")?;
    say(io, &format!("{}jobset(s) submitted: \n{done}", submitted.len()))?;
    say(io, &format!("{} jobset(s) not submitted:\n{}", left.len(), left.concat()))
}

fn say(io: &mut Io<'_>, text: &str) -> Result<(), String> {
    // Whoever reads may have gone; the jobs are what counts.
    drop(io.say_now(text));
    Ok(())
}

/// Submits jobs, and gives back their ids.
///
/// # Errors
/// One of them was refused; those before it run.
pub(super) fn submit(client: &mut Client, jobs: Vec<Vec<OpCode>>) -> Result<Vec<JobId>, String> {
    let answer = client
        .call(Method::SubmitManyJobs, &json!([jobs]))
        .map_err(|error| format!("Job submission error: {}", backend::luxi::describe(&error)))?;
    let one = |row: &Value| match row.as_array().map(Vec::as_slice) {
        Some([Value::Bool(true), id]) => {
            serde_json::from_value(id.clone()).map_err(|_| format!("Job submission error: '{id}' is no job id"))
        }
        Some([_, error]) => Err(format!("Job submission error: {}", error.as_str().map_or_else(|| error.to_string(), str::to_owned))),
        _ => Err("Job submission error: the answer is not understood".to_owned()),
    };
    answer.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(one).collect()
}

/// States of jobs; `None`: there is no such job any more.
///
/// # Errors
/// The master daemon does not answer.
pub(super) fn states(client: &mut Client, ids: &[JobId]) -> Result<Vec<Option<JobStatus>>, String> {
    let answer = client
        .call(Method::QueryJobs, &json!([ids, ["status"]]))
        .map_err(|error| format!("Checking job status: {}", backend::luxi::describe(&error)))?;
    let state = |row: &Value| row.get(0).and_then(Value::as_str).and_then(|text| text.parse().ok());
    let states: Vec<Option<JobStatus>> = answer.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(state).collect();
    if states.len() == ids.len() { Ok(states) } else { Err("Checking job status: the answer is not understood".to_owned()) }
}

/// Waits until all jobs have ended.
///
/// # Errors
/// The master daemon does not answer, or a job is lost.
pub(super) fn wait(client: &mut Client, ids: &[JobId]) -> Result<Vec<(JobId, JobStatus)>, String> {
    let mut pause = FIRST_PAUSE;
    loop {
        std::thread::sleep(pause);
        let states = states(client, ids)?;
        let known: Option<Vec<JobStatus>> = states.into_iter().collect();
        let known = known.ok_or("Checking job status: a job is lost; it may have been archived")?;
        if known.iter().all(|status| status.is_final()) {
            return Ok(ids.iter().copied().zip(known).collect());
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
