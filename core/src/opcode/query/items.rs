//! `OP_QUERY`: answers a query for resources, like the LUXI call of that name.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::opcode::{Parameters, QueryResource, check};

/// Parameters of `OP_QUERY`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// The resource.
    pub what: QueryResource,
    /// Take locks for a consistent answer.
    #[serde(default)]
    pub use_locking: bool,
    /// Names of fields.
    #[serde(deserialize_with = "check::nonempty_list")]
    pub fields: Vec<String>,
    /// Filter in Ganeti's list form; `None` means all.
    pub qfilter: Option<Vec<Value>>,
}

impl Query {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(what: QueryResource, fields: Vec<String>) -> Self {
        Self { what, use_locking: false, fields, qfilter: None }
    }
}

impl Parameters for Query {
    const OP_ID: &'static str = "OP_QUERY";

    fn subject(&self) -> Option<String> {
        Some(self.what.to_string())
    }
}
