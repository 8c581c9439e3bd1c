//! `OP_TAGS_SEARCH`: looks for tags in the whole cluster.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_TAGS_SEARCH`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagsSearch {
    /// Regular expression.
    #[serde(deserialize_with = "check::nonempty")]
    pub pattern: String,
}

impl TagsSearch {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(pattern: impl Into<String>) -> Self {
        Self { pattern: pattern.into() }
    }
}

impl Parameters for TagsSearch {
    const OP_ID: &'static str = "OP_TAGS_SEARCH";

    fn subject(&self) -> Option<String> {
        Some(self.pattern.clone())
    }
}
