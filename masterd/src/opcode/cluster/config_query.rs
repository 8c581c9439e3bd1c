//! `OP_CLUSTER_CONFIG_QUERY`: some values of the cluster.

use gannet_core::config::Config;
use gannet_core::lock::LockSet;
use gannet_core::opcode::ClusterConfigQuery;
use serde_json::Value;

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

const FIELDS: [&str; 5] = ["cluster_name", "drain_flag", "master_node", "volume_group_name", "watcher_pause"];

impl LogicalUnit for ClusterConfigQuery {
    type Plan = Value;
    type Output = Value;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Value, Refusal> {
        let unknown: Vec<&str> = self.output_fields.iter().map(String::as_str).filter(|field| !FIELDS.contains(field)).collect();
        if !unknown.is_empty() {
            return Err(Refusal::invalid(format!("Unknown output fields selected: {}", unknown.join(", "))));
        }
        Ok(crate::query::config_values(&held.context().master, &self.output_fields))
    }

    async fn execute(plan: &Value, _job: &mut Steps<'_>) -> Result<Value, Failure> {
        Ok(plan.clone())
    }
}
