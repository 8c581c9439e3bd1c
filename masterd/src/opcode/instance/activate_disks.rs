//! `OP_INSTANCE_ACTIVATE_DISKS`: makes the disks of an instance usable on its primary node.

use gannet_core::config::Config;
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::InstanceActivateDisks;
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
    primary: NodeUuid,
    node_name: String,
    disks: Vec<DiskAssembleRequest>,
    marked: Changes,
}

impl LogicalUnit for InstanceActivateDisks {
    type Plan = Plan;
    /// Node, name inside the instance (`disk/0`), path on the node.
    type Output = Vec<(String, String, Option<String>)>;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        subject::lock_with_nodes(config, &self.instance_name, self.instance_uuid.as_deref())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let instance = subject::find(held.config(), &self.instance_name, self.instance_uuid.as_deref())?;
        let primary = held.node(&instance.primary_node)?;
        node_check::online(primary)?;
        let mut disks = subject::assemble(held.config(), instance);
        if self.ignore_size {
            // The node takes the disk as large as it is.
            disks.iter_mut().filter_map(|request| request.disk.as_mut()).for_each(|disk| disk.size_mib = 0);
        }
        Ok(Plan {
            primary: primary.uuid.clone(),
            node_name: primary.name.to_string(),
            disks,
            marked: subject::with_disks_active(held, instance, true),
        })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Self::Output, Failure> {
        let paths = subject::assemble_all(job, &plan.primary, &plan.disks).await?;
        job.finish_with(plan.marked.clone());
        let one =
            |(index, path): (usize, String)| (plan.node_name.clone(), format!("disk/{index}"), Some(path).filter(|path| !path.is_empty()));
        Ok(paths.into_iter().enumerate().map(one).collect())
    }
}
