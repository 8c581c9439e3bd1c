//! `OP_CLUSTER_VERIFY_DISKS`: submits the verification of disks of each group.

use gannet_core::config::Config;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::{ClusterVerifyDisks, GroupVerifyDisks, OpCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::held::Held;
use crate::job::{Steps, jobs_result};
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

/// The jobs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    jobs: Vec<Vec<OpCode>>,
}

impl LogicalUnit for ClusterVerifyDisks {
    type Plan = Plan;
    type Output = Value;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let lock = match &self.group_name {
            Some(name) => Lock::Group(config.find_group(name)?.uuid.clone()),
            None => Lock::AllGroups,
        };
        Ok(LockSet::shared_cluster().shared(lock))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let mut names: Vec<String> = match &self.group_name {
            Some(name) => vec![held.config().find_group(name)?.name.clone()],
            None => held.config().groups().map(|group| group.name.clone()).collect(),
        };
        names.sort();
        let one = |name: String| vec![OpCode::from(GroupVerifyDisks { is_strict: self.is_strict, ..GroupVerifyDisks::new(name) })];
        Ok(Plan { jobs: names.into_iter().map(one).collect() })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Value, Failure> {
        Ok(jobs_result(&job.submit(plan.jobs.clone()).await?))
    }
}
