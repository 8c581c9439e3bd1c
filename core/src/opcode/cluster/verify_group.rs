//! `OP_CLUSTER_VERIFY_GROUP`: verifies nodes and instances of a node group.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters, VerifyCode, VerifyOptional, check};

/// Parameters of `OP_CLUSTER_VERIFY_GROUP`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterVerifyGroup {
    /// Name of the node group.
    #[serde(deserialize_with = "check::nonempty")]
    pub group_name: String,
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
    /// Also look for files that do not belong in the directories of SSH keys.
    #[serde(default)]
    pub verify_clutter: bool,
}

impl ClusterVerifyGroup {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(group_name: impl Into<String>) -> Self {
        Self {
            group_name: group_name.into(),
            debug_simulate_errors: false,
            error_codes: false,
            skip_checks: BTreeSet::default(),
            ignore_errors: BTreeSet::default(),
            verbose: false,
            verify_clutter: false,
        }
    }
}

impl Parameters for ClusterVerifyGroup {
    const OP_ID: &'static str = "OP_CLUSTER_VERIFY_GROUP";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::ClusterVerify, HookType::Cluster));

    fn subject(&self) -> Option<String> {
        Some(self.group_name.clone())
    }
}
