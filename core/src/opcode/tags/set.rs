//! `OP_TAGS_SET`: puts tags on an object.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, TagKind};

/// Parameters of `OP_TAGS_SET`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagsSet {
    /// Kind of the object.
    pub kind: TagKind,
    /// Tags.
    pub tags: Vec<String>,
    /// Name of the object; `None` for the cluster.
    pub name: Option<String>,
}

impl TagsSet {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(kind: TagKind, tags: Vec<String>) -> Self {
        Self { kind, tags, name: None }
    }
}

impl Parameters for TagsSet {
    const OP_ID: &'static str = "OP_TAGS_SET";
}
