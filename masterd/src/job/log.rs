//! The job log: what the operator reads, in Ganeti's words.

use std::sync::Arc;

use gannet_core::job::LogType;
use serde_json::{Value, json};

use super::JobCell;
use crate::clock::Clock;

/// Writes to the log of one opcode. Cheap to clone. Entries are durable with the job's next write.
#[derive(Clone)]
pub struct JobLog {
    cell: Arc<JobCell>,
    op: usize,
    clock: Arc<dyn Clock>,
}

impl JobLog {
    pub(crate) fn new(cell: Arc<JobCell>, op: usize, clock: Arc<dyn Clock>) -> Self {
        Self { cell, op, clock }
    }

    /// A plain line.
    pub fn info(&self, text: impl Into<String>) {
        self.entry(LogType::Message, Value::String(text.into()));
    }

    /// A warning, with Ganeti's prefix.
    pub fn warn(&self, text: impl AsRef<str>) {
        self.info(format!(" - WARNING: {}", text.as_ref()));
    }

    /// A hint, with Ganeti's prefix.
    pub fn note(&self, text: impl AsRef<str>) {
        self.info(format!(" - INFO: {}", text.as_ref()));
    }

    /// Several lines at once.
    pub fn lines(&self, lines: &[String]) {
        self.entry(LogType::MessageList, json!(lines));
    }

    /// An entry of another kind.
    pub fn entry(&self, kind: LogType, message: Value) {
        let now = self.clock.now();
        self.cell.add_log(self.op, now, kind, message);
    }
}
