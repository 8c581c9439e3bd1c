//! `OP_INSTANCE_DEACTIVATE_DISKS`: ends the use of the disks of a stopped instance.

use gannet_core::config::{AdminState, Config};
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::InstanceDeactivateDisks;
use gannet_proto::node::DiskAssembleRequest;
use serde::{Deserialize, Serialize};

use super::subject;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::node_check;
use crate::store::Changes;
use crate::unit::{AfterCrash, LogicalUnit};

#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    name: String,
    primary: NodeUuid,
    disks: Vec<DiskAssembleRequest>,
    marked: Changes,
    /// What a node does not do is only told.
    force: bool,
}

impl LogicalUnit for InstanceDeactivateDisks {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        subject::lock_with_nodes(config, &self.instance_name, self.instance_uuid.as_deref())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let instance = subject::find(held.config(), &self.instance_name, self.instance_uuid.as_deref())?;
        if !self.force {
            node_check::instance_state(held, instance, &[AdminState::Down], Some("cannot shutdown disks")).await?;
        }
        Ok(Plan {
            name: instance.name.to_string(),
            primary: instance.primary_node.clone(),
            disks: subject::assemble(held.config(), instance),
            marked: subject::with_disks_active(held, instance, false),
            force: self.force,
        })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        let all_well = subject::release_all(job, &plan.primary, &plan.disks).await?;
        if !all_well && !plan.force {
            return Err(Failure::other(format!("Not all disks of instance {} could be deactivated; the job's log says why", plan.name)));
        }
        job.finish_with(plan.marked.clone());
        Ok(())
    }
}
