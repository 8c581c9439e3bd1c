//! `OP_EXT_STORAGE_DIAGNOSE`: answers which external storage providers the nodes have.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_EXT_STORAGE_DIAGNOSE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtStorageDiagnose {
    /// Fields to answer with.
    #[serde(deserialize_with = "check::nonempty_list")]
    pub output_fields: Vec<String>,
    /// Names to answer for; none means all.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub names: Vec<String>,
}

impl ExtStorageDiagnose {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(output_fields: Vec<String>) -> Self {
        Self { output_fields, names: Vec::new() }
    }
}

impl Parameters for ExtStorageDiagnose {
    const OP_ID: &'static str = "OP_EXT_STORAGE_DIAGNOSE";
}
