//! `OP_CLUSTER_POST_INIT`: the first job of a cluster: runs the hooks of its initialisation.

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::config::Config;
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::ClusterPostInit;
use serde::{Deserialize, Serialize};

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// For the hooks.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    cluster: String,
    master: NodeUuid,
}

impl LogicalUnit for ClusterPostInit {
    type Plan = Plan;
    type Output = bool;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::exclusive_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let cluster = held.config().cluster();
        Ok(Plan { cluster: cluster.cluster_name.clone(), master: cluster.master_node.clone() })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(Hooks {
            path: "cluster-init".to_owned(),
            object_type: "CLUSTER".to_owned(),
            pre_nodes: BTreeSet::new(),
            post_nodes: BTreeSet::from([plan.master.clone()]),
            env: BTreeMap::from([("OP_TARGET".to_owned(), plan.cluster.clone())]),
            post_env: BTreeMap::new(),
        })
    }

    async fn execute(_plan: &Plan, _job: &mut Steps<'_>) -> Result<bool, Failure> {
        Ok(true)
    }
}
