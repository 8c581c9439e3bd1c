//! `OP_QUERY_FIELDS`: answers which fields a resource has.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, QueryResource, check};

/// Parameters of `OP_QUERY_FIELDS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryFields {
    /// The resource.
    pub what: QueryResource,
    /// Names of fields; `None` means all.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub fields: Option<Vec<String>>,
}

impl QueryFields {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(what: QueryResource) -> Self {
        Self { what, fields: None }
    }
}

impl Parameters for QueryFields {
    const OP_ID: &'static str = "OP_QUERY_FIELDS";

    fn subject(&self) -> Option<String> {
        Some(self.what.to_string())
    }
}
