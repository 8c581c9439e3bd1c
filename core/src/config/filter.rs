//! Job filter rules.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{FilterUuid, JobId};

/// A rule that decides about jobs before they start (Ganeti's `gnt-filter`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilterRule {
    pub watermark: JobId,
    pub priority: u32,
    pub predicates: Vec<Value>,
    /// `ACCEPT`, `PAUSE`, `REJECT`, `CONTINUE` or `["RATE_LIMIT", n]`.
    pub action: Value,
    pub reason_trail: Vec<(String, String, i64)>,
    pub uuid: FilterUuid,
}
