//! `OP_CLUSTER_VERIFY`: submits the jobs that verify configuration and node groups.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, VerifyCode, VerifyOptional, check};

/// Parameters of `OP_CLUSTER_VERIFY`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterVerify {
    /// Report every check as failed, to test the reports.
    #[serde(default)]
    pub debug_simulate_errors: bool,
    /// Report errors in the form made for programs.
    #[serde(default)]
    pub error_codes: bool,
    /// Optional checks to leave out.
    #[serde(default)]
    pub skip_checks: BTreeSet<VerifyOptional>,
    /// Errors to report as warnings only.
    #[serde(default)]
    pub ignore_errors: BTreeSet<VerifyCode>,
    /// Say more.
    #[serde(default)]
    pub verbose: bool,
    /// Only this node group.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub group_name: Option<String>,
    /// Also look for files that do not belong in the directories of SSH keys.
    #[serde(default)]
    pub verify_clutter: bool,
}

impl Parameters for ClusterVerify {
    const OP_ID: &'static str = "OP_CLUSTER_VERIFY";
}
