//! `OP_NODE_MIGRATE`: migrates all primary instances of a node, one job each.

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::config::Config;
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::{InstanceMigrate, NodeMigrate, OpCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::held::Held;
use crate::job::{Steps, jobs_result};
use crate::refusal::{Failure, Refusal};
use crate::rule::role;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// One opcode per instance.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    master: NodeUuid,
    name: String,
    allow_runtime_changes: bool,
    jobs: Vec<Vec<OpCode>>,
}

impl LogicalUnit for NodeMigrate {
    type Plan = Plan;
    type Output = Value;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster().shared(Lock::Node(config.find_node(&self.node_name)?.uuid.clone())))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let node = held.find_node(&self.node_name)?;
        if self.target_node.is_some() && self.iallocator.is_some() {
            return Err(Refusal::invalid("Do not specify both, iallocator and target node"));
        }
        if let Some(target) = &self.target_node {
            let target = held.find_node(target)?;
            if target.uuid == node.uuid {
                return Err(Refusal::invalid(format!("Cannot migrate the instances of node {} to the same node", node.name)));
            }
        }
        let migrate = |instance: &std::sync::Arc<gannet_core::config::Instance>| {
            vec![OpCode::from(InstanceMigrate {
                mode: self.mode,
                live: self.live,
                iallocator: self.iallocator.clone(),
                target_node: self.target_node.clone(),
                allow_runtime_changes: self.allow_runtime_changes,
                ignore_ipolicy: self.ignore_ipolicy,
                ..InstanceMigrate::new(instance.name.to_string())
            })]
        };
        Ok(Plan {
            master: held.config().cluster().master_node.clone(),
            name: node.name.to_string(),
            allow_runtime_changes: self.allow_runtime_changes,
            jobs: held.config().primary_instances(&node.uuid).map(migrate).collect(),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        let env = [("NODE_NAME", plan.name.clone()), ("ALLOW_RUNTIME_CHANGES", role::truth(plan.allow_runtime_changes))];
        let master = BTreeSet::from([plan.master.clone()]);
        Some(Hooks {
            path: "node-migrate".to_owned(),
            object_type: "NODE".to_owned(),
            pre_nodes: master.clone(),
            post_nodes: master,
            env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            post_env: BTreeMap::new(),
        })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Value, Failure> {
        if plan.jobs.is_empty() {
            return Ok(jobs_result(&[]));
        }
        Ok(jobs_result(&job.submit(plan.jobs.clone()).await?))
    }
}
