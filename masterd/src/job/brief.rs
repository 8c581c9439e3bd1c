//! What stays in memory of a job that has ended: enough for lists, small enough for a hundred thousand of them. The rest is in
//! its row.

use std::sync::Arc;

use gannet_core::job::{Job, JobStatus};
use gannet_core::quantity::Timestamp;

use super::JobCell;

/// A finished job in brief.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// How it ended.
    pub status: JobStatus,
    /// Its priority.
    pub priority: i32,
    /// When it was submitted.
    pub received: Option<Timestamp>,
    /// When its first opcode began.
    pub start: Option<Timestamp>,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// JSON: each opcode in a word.
    summary: Box<str>,
}

impl Brief {
    /// What there is to say of `job`.
    #[must_use]
    pub fn new(job: &Job) -> Self {
        let summary: Vec<String> = job.ops.iter().map(|op| op.input.op.summary()).collect();
        Self {
            status: job.status(),
            priority: job.priority(),
            received: job.received,
            start: job.start,
            end: job.end,
            summary: serde_json::to_string(&summary).unwrap_or_else(|_| "[]".to_owned()).into(),
        }
    }

    /// Each opcode in a word, as a JSON list of texts.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }
}

/// A job that is not archived.
#[derive(Debug, Clone)]
pub enum Entry {
    /// With all that is known of it: every job that has not ended, and those that ended last.
    Whole(Arc<JobCell>),
    /// A job that ended; its row is in the store.
    Brief(Arc<Brief>),
}

impl Entry {
    /// Its state.
    #[must_use]
    pub fn status(&self) -> JobStatus {
        match self {
            Self::Whole(cell) => cell.read(|row| row.job.status()),
            Self::Brief(brief) => brief.status,
        }
    }

    /// When it ended, if it has.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        match self {
            Self::Whole(cell) => cell.read(|row| row.job.end),
            Self::Brief(brief) => brief.end,
        }
    }
}
