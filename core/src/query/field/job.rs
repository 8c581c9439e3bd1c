//! The fields of a job, in the order of their names.

use super::Row;
use crate::query::FieldKind::{Bool, Number, Other, Text};

pub(super) const DEFAULT: &[&str] = &["id", "status", "summary"];

pub(super) const FIELDS: &[Row] = &[
    ("archived", "Archived", Bool, "Whether the job is archived"),
    ("end_ts", "End", Other, "When it ended, [seconds, microseconds]"),
    ("id", "ID", Number, "Number of the job"),
    ("opend", "OpCode_end", Other, "When each opcode ended"),
    ("opexec", "OpCode_exec", Other, "When each opcode got its locks and began"),
    ("oplog", "OpCode_log", Other, "Messages of each opcode"),
    ("oppriority", "OpCode_prio", Other, "Priority of each opcode"),
    ("opresult", "OpCode_result", Other, "Result of each opcode"),
    ("ops", "OpCodes", Other, "The opcodes with their parameters"),
    ("opstart", "OpCode_start", Other, "When each opcode left the queue, before it had its locks"),
    ("opstatus", "OpCode_status", Other, "Status of each opcode"),
    ("priority", "Priority", Number, "Priority now: that of the most urgent opcode not yet ended"),
    ("received_ts", "Received", Other, "When it was submitted, [seconds, microseconds]"),
    ("start_ts", "Start", Other, "When its first opcode began, [seconds, microseconds]"),
    ("status", "Status", Text, "queued, waiting, canceling, running, canceled, success or error"),
    ("summary", "Summary", Other, "Each opcode in a word"),
];
