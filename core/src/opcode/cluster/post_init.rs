//! `OP_CLUSTER_POST_INIT`: runs what follows the creation of a cluster.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters};

/// Parameters of `OP_CLUSTER_POST_INIT`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterPostInit {}

impl Parameters for ClusterPostInit {
    const OP_ID: &'static str = "OP_CLUSTER_POST_INIT";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::ClusterInit, HookType::Cluster));
    const NEEDS_BGL: bool = true;
}
