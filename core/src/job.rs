//! Jobs: lists of opcodes with states, logs and times, in Ganeti's form (`parity/luxi.json`: job_file).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::JobId;
use crate::opcode::OpCode;
use crate::quantity::Timestamp;

/// The state of a job or of one of its opcodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    Queued,
    /// Waits for other jobs or for locks.
    Waiting,
    Canceling,
    Running,
    Canceled,
    Success,
    Error,
}

impl JobStatus {
    /// All states.
    pub const ALL: [Self; 7] = [Self::Queued, Self::Waiting, Self::Canceling, Self::Running, Self::Canceled, Self::Success, Self::Error];

    /// Ganeti's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Canceling => "canceling",
            Self::Running => "running",
            Self::Canceled => "canceled",
            Self::Success => "success",
            Self::Error => "error",
        }
    }

    /// Whether nothing will change any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Canceled | Self::Success | Self::Error)
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobStatus {
    type Err = crate::id::InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(crate::id::InvalidId { what: "job status", text: text.to_owned() })
    }
}

/// What a log entry's message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogType {
    /// A text.
    Message,
    /// A list of texts.
    MessageList,
    RemoteImport,
    JqueueTest,
    DelayTest,
}

/// A line of the job's log. On the wire: `[serial, [seconds, microseconds], type, message]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry(pub u64, pub Timestamp, pub LogType, pub Value);

/// One opcode of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobOp {
    /// Secret parameters are in memory only: they are left out when this is written.
    #[serde(serialize_with = "OpCode::serialize_for_storage")]
    pub input: OpCode,
    pub status: JobStatus,
    /// The opcode's result; when it failed, `[class, [arguments…]]`.
    pub result: Value,
    pub log: Vec<LogEntry>,
    /// -20 (first) to 19.
    pub priority: i32,
    /// Began to wait for locks.
    #[serde(rename = "start_timestamp")]
    pub start: Option<Timestamp>,
    /// Began to work.
    #[serde(rename = "exec_timestamp")]
    pub exec: Option<Timestamp>,
    #[serde(rename = "end_timestamp")]
    pub end: Option<Timestamp>,
}

impl JobOp {
    /// An opcode that waits for its turn.
    #[must_use]
    pub fn new(input: OpCode) -> Self {
        let priority = input.common.priority.get();
        Self { input, status: JobStatus::Queued, result: Value::Null, log: Vec::new(), priority, start: None, exec: None, end: None }
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: JobId,
    pub ops: Vec<JobOp>,
    #[serde(rename = "received_timestamp")]
    pub received: Option<Timestamp>,
    #[serde(rename = "start_timestamp")]
    pub start: Option<Timestamp>,
    #[serde(rename = "end_timestamp")]
    pub end: Option<Timestamp>,
}

impl Job {
    /// A job as submitted at `now`.
    #[must_use]
    pub fn new(id: JobId, ops: Vec<OpCode>, now: Timestamp) -> Self {
        Self { id, ops: ops.into_iter().map(JobOp::new).collect(), received: Some(now), start: None, end: None }
    }

    /// The state of the whole. Ganeti: the first opcode that is canceling, in error or canceled decides; else the last one
    /// that waits or runs; else success when all succeeded; else queued.
    #[must_use]
    pub fn status(&self) -> JobStatus {
        let mut status = JobStatus::Queued;
        let mut all_succeeded = true;
        for op in &self.ops {
            if op.status == JobStatus::Success {
                continue;
            }
            all_succeeded = false;
            match op.status {
                JobStatus::Canceling | JobStatus::Error | JobStatus::Canceled => return op.status,
                JobStatus::Waiting | JobStatus::Running => status = op.status,
                JobStatus::Queued | JobStatus::Success => {}
            }
        }
        if all_succeeded { JobStatus::Success } else { status }
    }

    /// The priority of the whole: the most urgent among its unfinished opcodes, or among all when it is done.
    #[must_use]
    pub fn priority(&self) -> i32 {
        let unfinished = self.ops.iter().filter(|op| !op.status.is_final()).map(|op| op.priority).min();
        unfinished.or_else(|| self.ops.iter().map(|op| op.priority).min()).unwrap_or(0)
    }
}
