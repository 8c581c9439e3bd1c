//! `OP_CLUSTER_DESTROY`: ends the cluster; it must be empty but for the master.

use serde::{Deserialize, Serialize};

use crate::opcode::{HookPath, HookType, Parameters};

/// Parameters of `OP_CLUSTER_DESTROY`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterDestroy {}

impl Parameters for ClusterDestroy {
    const OP_ID: &'static str = "OP_CLUSTER_DESTROY";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::ClusterDestroy, HookType::Cluster));
    const NEEDS_BGL: bool = true;
}
