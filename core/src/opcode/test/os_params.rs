//! `OP_TEST_OS_PARAMS`: tests that secret OS parameters are kept secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::opcode::{Parameters, Secret};

/// Parameters of `OP_TEST_OS_PARAMS`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestOsParams {
    /// OS parameters that are not stored.
    pub osparams_secret: Option<BTreeMap<String, Secret<Value>>>,
}

impl Parameters for TestOsParams {
    const OP_ID: &'static str = "OP_TEST_OS_PARAMS";
}
