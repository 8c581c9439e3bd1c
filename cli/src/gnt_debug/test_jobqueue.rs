//! `gnt-debug test-jobqueue`: jobs that tell of each stage of their life, and whether the queue shows each as it is.

use std::os::unix::net::UnixStream;

use gannet_core::id::JobId;
use gannet_core::job::{LogEntry, LogType};
use gannet_core::luxi::{JobChange, Method};
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};
use crate::wait;

/// What a job's messages begin with.
const MESSAGE_PREFIX: &str = "TESTMSG=";
/// A job that says nothing for so long has failed, in seconds.
const SILENCE_S: u64 = 30;

/// One job, and what must be seen of it.
struct Case {
    name: &'static str,
    notify_waitlock: bool,
    notify_exec: bool,
    messages: &'static [&'static str],
    fail: bool,
}

const CASES: &[Case] = &[
    Case { name: "a job that tells nothing", notify_waitlock: false, notify_exec: false, messages: &[], fail: false },
    Case { name: "before its locks, and when it begins", notify_waitlock: true, notify_exec: true, messages: &[], fail: false },
    Case { name: "before its locks, and a failure", notify_waitlock: true, notify_exec: false, messages: &[], fail: true },
    Case {
        name: "messages, one by one",
        notify_waitlock: false,
        notify_exec: true,
        messages: &["Testing messages", "ä ö ü", "", "the last one"],
        fail: false,
    },
    Case { name: "messages, and a failure", notify_waitlock: true, notify_exec: true, messages: &["one", "two"], fail: true },
];

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    refusals(context)?;
    for case in CASES {
        context.io.line(format_args!("Testing {}", case.name));
        follow(context, case)?;
    }
    context.io.line("All tests of the job queue passed");
    Ok(SUCCESS)
}

/// A job that is none must be refused, and leave no trace.
fn refusals(context: &mut Context<'_>) -> Result<(), Failure> {
    context.io.line("Testing jobs that must be refused");
    let delay = json!({"OP_ID": "OP_TEST_DELAY", "duration": 0.0, "reason": []});
    let with = |name: &str, value: Value| {
        let mut opcode = delay.clone();
        opcode[name] = value;
        opcode
    };
    for wrong in [json!([]), json!([with("priority", json!(-20))]), json!([delay, with("depends", json!([[-9, []]]))]), json!(["OP_NONE"])]
    {
        if let Ok(job) = context.call(Method::SubmitJob, &json!([wrong])) {
            return Err(wrong_of(format!("the job {wrong} was not refused, it is job {job}")));
        }
    }
    Ok(())
}

/// Submits the job of a case and takes part in it.
fn follow(context: &mut Context<'_>, case: &Case) -> Result<(), Failure> {
    let parameters = json!({
        "notify_waitlock": case.notify_waitlock, "notify_exec": case.notify_exec, "log_messages": case.messages, "fail": case.fail,
    });
    let op = context.opcode("OP_TEST_JQUEUE", parameters)?;
    let job = wait::submit(context, vec![op])?;
    let mut seen = Seen::default();
    let mut fields: Option<Vec<Value>> = None;
    let mut serial = None;
    loop {
        match context.client()?.wait_for_job_change(job, &["status"], fields.as_deref(), serial, SILENCE_S)? {
            JobChange::NoChange => return Err(wrong_of(format!("job {job} did not change for {SILENCE_S} s"))),
            JobChange::Changed(now, entries) => {
                for LogEntry(number, _, kind, message) in entries {
                    serial = serial.max(Some(number));
                    seen.entry(context, job, kind, &message)?;
                }
                let status = now.first().and_then(Value::as_str).unwrap_or_default().to_owned();
                if matches!(status.as_str(), "success" | "error" | "canceled") {
                    return seen.check(case, job, &status);
                }
                fields = Some(now);
            }
        }
    }
}

/// What a job has told.
#[derive(Default)]
struct Seen {
    stages: Vec<String>,
    messages: Vec<String>,
}

impl Seen {
    fn entry(&mut self, context: &mut Context<'_>, job: JobId, kind: LogType, message: &Value) -> Result<(), Failure> {
        if kind == LogType::Message {
            self.messages.extend(message.as_str().and_then(|text| text.strip_prefix(MESSAGE_PREFIX)).map(str::to_owned));
            return Ok(());
        }
        let (Some(socket), Some(stage)) = (message[0].as_str(), message[1].as_str()) else { return Ok(()) };
        // The job waits while this connection is open: what is seen now is what it is at this stage.
        let stream = UnixStream::connect(socket).map_err(|error| wrong_of(format!("cannot connect to {socket}: {error}")))?;
        let expected = if stage == "expandnames" { "waiting" } else { "running" };
        let rows = context.call(Method::QueryJobs, &json!([[job], ["status", "oplog"]]))?;
        if rows[0][0] != expected {
            return Err(wrong_of(format!("at the stage '{stage}' job {job} is {} instead of {expected}", rows[0][0])));
        }
        let logged = rows[0][1].to_string().matches(MESSAGE_PREFIX).count();
        if stage == "logmsg" && message[2] != logged {
            return Err(wrong_of(format!("job {job} has {logged} messages in its log after message {}", message[2])));
        }
        self.stages.push(stage.to_owned());
        drop(stream);
        Ok(())
    }

    fn check(&self, case: &Case, job: JobId, status: &str) -> Result<(), Failure> {
        let mut stages: Vec<&str> = Vec::new();
        stages.extend(case.notify_waitlock.then_some("expandnames"));
        stages.extend(case.notify_exec.then_some("exec"));
        if !case.messages.is_empty() {
            stages.push("startmsg");
            stages.extend(case.messages.iter().map(|_| "logmsg"));
        }
        if self.stages != stages {
            return Err(wrong_of(format!("job {job} went through the stages {:?} instead of {stages:?}", self.stages)));
        }
        if self.messages != case.messages {
            return Err(wrong_of(format!("job {job} wrote the messages {:?} instead of {:?}", self.messages, case.messages)));
        }
        let expected = if case.fail { "error" } else { "success" };
        if status == expected { Ok(()) } else { Err(wrong_of(format!("job {job} ended as {status} instead of {expected}"))) }
    }
}

fn wrong_of(text: String) -> Failure {
    Failure::Remote(gannet_core::error::WireError::exec(format!("The job queue does not do as it should: {text}")))
}
