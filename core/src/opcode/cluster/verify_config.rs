//! `OP_CLUSTER_VERIFY_CONFIG`: verifies what is global: configuration and certificates.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, VerifyCode};

/// Parameters of `OP_CLUSTER_VERIFY_CONFIG`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterVerifyConfig {
    /// Report every check as failed, to test the reports.
    #[serde(default)]
    pub debug_simulate_errors: bool,
    /// Report errors in the form made for programs.
    #[serde(default)]
    pub error_codes: bool,
    /// Errors to report as warnings only.
    #[serde(default)]
    pub ignore_errors: BTreeSet<VerifyCode>,
    /// Say more.
    #[serde(default)]
    pub verbose: bool,
}

impl Parameters for ClusterVerifyConfig {
    const OP_ID: &'static str = "OP_CLUSTER_VERIFY_CONFIG";
}
