//! `OP_CLUSTER_QUERY`: all about the cluster.

use gannet_core::config::Config;
use gannet_core::lock::LockSet;
use gannet_core::opcode::ClusterQuery;
use serde_json::Value;

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

impl LogicalUnit for ClusterQuery {
    type Plan = Value;
    type Output = Value;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Value, Refusal> {
        Ok(crate::query::cluster_info(&held.context().master))
    }

    async fn execute(plan: &Value, _job: &mut Steps<'_>) -> Result<Value, Failure> {
        Ok(plan.clone())
    }
}
