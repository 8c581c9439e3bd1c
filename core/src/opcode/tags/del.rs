//! `OP_TAGS_DEL`: takes tags off an object.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, TagKind};

/// Parameters of `OP_TAGS_DEL`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagsDel {
    /// Kind of the object.
    pub kind: TagKind,
    /// Tags.
    pub tags: Vec<String>,
    /// Name of the object; `None` for the cluster.
    pub name: Option<String>,
}

impl TagsDel {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(kind: TagKind, tags: Vec<String>) -> Self {
        Self { kind, tags, name: None }
    }
}

impl Parameters for TagsDel {
    const OP_ID: &'static str = "OP_TAGS_DEL";
}
