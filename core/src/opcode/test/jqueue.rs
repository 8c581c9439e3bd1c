//! `OP_TEST_JQUEUE`: tests notifications and logs of the job queue.

use serde::{Deserialize, Serialize};

use crate::opcode::Parameters;

/// Parameters of `OP_TEST_JQUEUE`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestJqueue {
    /// Notify the client when locks are waited for.
    #[serde(default)]
    pub notify_waitlock: bool,
    /// Notify the client when execution begins.
    #[serde(default)]
    pub notify_exec: bool,
    /// Texts to write to the job log.
    #[serde(default)]
    pub log_messages: Vec<String>,
    /// Fail at the end.
    #[serde(default)]
    pub fail: bool,
}

impl Parameters for TestJqueue {
    const OP_ID: &'static str = "OP_TEST_JQUEUE";
}
