//! `OP_TAGS_GET`: answers with the tags of an object.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, TagKind};

/// Parameters of `OP_TAGS_GET`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagsGet {
    /// Kind of the object.
    pub kind: TagKind,
    /// Take locks for a consistent answer.
    #[serde(default)]
    pub use_locking: bool,
    /// Name of the object; `None` for the cluster.
    pub name: Option<String>,
}

impl TagsGet {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(kind: TagKind) -> Self {
        Self { kind, use_locking: false, name: None }
    }
}

impl Parameters for TagsGet {
    const OP_ID: &'static str = "OP_TAGS_GET";

    fn subject(&self) -> Option<String> {
        Some(self.name.clone().unwrap_or_else(|| "None".to_owned()))
    }
}
