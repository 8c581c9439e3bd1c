//! `OP_CLUSTER_ACTIVATE_MASTER_IP` and `OP_CLUSTER_DEACTIVATE_MASTER_IP`.

use gannet_core::config::Config;
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::{ClusterActivateMasterIp, ClusterDeactivateMasterIp};
use gannet_proto::node::MasterIpRequest;
use serde::{Deserialize, Serialize};

use crate::effect;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

/// The address, and who has it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    master: NodeUuid,
    address: MasterIpRequest,
}

fn plan(config: &Config) -> Plan {
    Plan { master: config.cluster().master_node.clone(), address: crate::master_ip::request(config) }
}

impl LogicalUnit for ClusterActivateMasterIp {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::exclusive_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        Ok(plan(held.config()))
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        job.step(&plan.master, effect::MasterIpStart(plan.address.clone())).await
    }
}

impl LogicalUnit for ClusterDeactivateMasterIp {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::exclusive_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        Ok(plan(held.config()))
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        job.step(&plan.master, effect::MasterIpStop(plan.address.clone())).await
    }
}
