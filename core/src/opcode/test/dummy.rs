//! `OP_TEST_DUMMY`: is understood but cannot be executed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::opcode::Parameters;

/// Parameters of `OP_TEST_DUMMY`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestDummy {
    /// Free.
    #[serde(default)]
    pub result: Value,
    /// Free.
    #[serde(default)]
    pub messages: Value,
    /// Free.
    #[serde(default)]
    pub fail: Value,
    /// Free.
    #[serde(default)]
    pub submit_jobs: Value,
}

impl Parameters for TestDummy {
    const OP_ID: &'static str = "OP_TEST_DUMMY";
}
