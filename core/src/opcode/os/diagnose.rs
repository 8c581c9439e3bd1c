//! `OP_OS_DIAGNOSE`: answers which OS definitions the nodes have.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_OS_DIAGNOSE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OsDiagnose {
    /// Fields to answer with.
    #[serde(deserialize_with = "check::nonempty_list")]
    pub output_fields: Vec<String>,
    /// Names to answer for; none means all.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub names: Vec<String>,
}

impl OsDiagnose {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(output_fields: Vec<String>) -> Self {
        Self { output_fields, names: Vec::new() }
    }
}

impl Parameters for OsDiagnose {
    const OP_ID: &'static str = "OP_OS_DIAGNOSE";
}
