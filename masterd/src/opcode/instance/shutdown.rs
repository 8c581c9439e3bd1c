//! `OP_INSTANCE_SHUTDOWN`: stops an instance.

use gannet_core::config::{AdminState, AdminStateSource, Config};
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::{self, InstanceShutdown};
use gannet_proto::node::{DiskAssembleRequest, InstanceShutdownRequest};
use serde::{Deserialize, Serialize};

use super::subject;
use crate::effect;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    primary: NodeUuid,
    /// `None`: the node is known to be down, only the record changes.
    stop: Option<InstanceShutdownRequest>,
    disks: Vec<DiskAssembleRequest>,
    marked: Changes,
    hooks: Hooks,
}

impl LogicalUnit for InstanceShutdown {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        subject::lock(config, &self.instance_name, self.instance_uuid.as_deref())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        if self.force {
            held.log().warn("Ignoring offline instance check");
        } else {
            node_check::instance_state(held, instance, &[AdminState::Up, AdminState::Down], None).await?;
        }
        let primary = held.node(&instance.primary_node)?;
        let only_record = primary.offline && self.ignore_offline_nodes;
        if only_record {
            held.log().warn("Ignoring offline primary node");
        } else {
            node_check::online(primary)?;
        }
        let source = match self.admin_state_source {
            Some(opcode::AdminStateSource::User) => AdminStateSource::User,
            Some(opcode::AdminStateSource::Admin) | None => AdminStateSource::Admin,
        };
        // An instance that is kept offline stays so: down would claim its resources again.
        let marked = if self.no_remember || instance.admin_state == AdminState::Offline {
            subject::with_disks_active(held, instance, false)
        } else {
            subject::marked(held, instance, AdminState::Down, source, false)
        };
        Ok(Plan {
            primary: primary.uuid.clone(),
            stop: (!only_record).then(|| subject::stop(instance, self.timeout)),
            disks: if only_record { Vec::new() } else { subject::assemble(config, instance) },
            marked,
            hooks: hook_env::instance_hooks("instance-stop", config, instance, &[("TIMEOUT", self.timeout.to_string())]),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        match &plan.stop {
            None => job.log().note("Primary node offline, marked instance as stopped"),
            Some(stop) => {
                let done = job.step(&plan.primary, effect::InstanceShutdown(stop.clone())).await;
                done.map_err(|failure| subject::explained(failure, "Could not shutdown instance"))?;
                subject::release_all(job, &plan.primary, &plan.disks).await?;
            }
        }
        job.finish_with(plan.marked.clone());
        Ok(())
    }
}
