//! `OP_INSTANCE_FAILOVER`: stops an instance and starts it on its other node.

use std::sync::Arc;

use gannet_core::config::{AdminState, Config, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::InstanceFailover;
use gannet_proto::node::{self as proto, InstanceShutdownRequest, InstanceStartRequest};
use serde::{Deserialize, Serialize};

use super::moving::{self, Wish};
use crate::effect::{DiskAssemble, DiskShutdown, InstanceShutdown, InstanceStart};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The instance as its new node gets it.
    instance: proto::Instance,
    source: NodeUuid,
    source_name: String,
    source_offline: bool,
    target: NodeUuid,
    target_name: String,
    ignore_consistency: bool,
    shutdown_timeout_s: u32,
    start: bool,
    moved: Changes,
    hooks: Hooks,
}

impl LogicalUnit for InstanceFailover {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        moving::locks(config, &self.instance_name, self.target_node.as_deref())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let instance = held.instance(&self.instance_name)?;
        let wish = Wish {
            what: "failovers",
            target: self.target_node.as_deref(),
            iallocator: self.iallocator.as_deref(),
            ignore_ipolicy: self.ignore_ipolicy || self.cleanup,
        };
        let target = moving::target(held, instance, &wish).await?;
        let source = held.node(&instance.primary_node)?;
        let start = instance.admin_state == AdminState::Up;
        if start {
            let needed = spec::be(config, instance).maxmem();
            node_check::free_memory(held, &target.uuid, &instance.hypervisor, &format!("failing over instance {}", instance.name), needed)
                .await?;
        } else {
            held.log().info("Not checking memory on the secondary node as instance will not be started");
        }
        node_check::bridges(held, instance, &target.uuid).await?;
        let mut moved = instance.clone();
        let changed = Arc::make_mut(&mut moved);
        changed.primary_node = target.uuid.clone();
        changed.disks_active = start;
        let mut extra = moving::old_and_new(config, instance, target);
        extra.push(("IGNORE_CONSISTENCY", hook_env::flag(self.ignore_consistency)));
        extra.push(("SHUTDOWN_TIMEOUT", self.shutdown_timeout.to_string()));
        extra.push(("FAILOVER_CLEANUP", hook_env::flag(self.cleanup)));
        let mut hooks = hook_env::instance_hooks("instance-failover", config, instance, &extra);
        hooks.pre_nodes.insert(target.uuid.clone());
        hooks.post_nodes.insert(target.uuid.clone());
        hooks.pre_nodes.remove(&source.uuid);
        let message = spec::instance(config, &moved);
        Ok(Plan {
            instance: message,
            source: source.uuid.clone(),
            source_name: source.name.to_string(),
            source_offline: source.offline,
            target: target.uuid.clone(),
            target_name: target.name.to_string(),
            ignore_consistency: self.ignore_consistency,
            shutdown_timeout_s: u32::try_from(self.shutdown_timeout).unwrap_or(u32::MAX),
            start,
            moved: Changes::none().update(held.state(), &Object::Instance(moved)),
            hooks,
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        let name = &plan.instance.name;
        job.log().info(format!("Failover instance {name}"));
        stop_on_source(plan, job).await?;
        // The record moves before anything starts: from here on only the target may run the instance.
        job.commit(plan.moved.clone()).await?;
        job.point_of_no_return().await?;
        if !plan.start {
            return Ok(());
        }
        job.log().info(format!("* activating the instance's disks on target node {}", plan.target_name));
        for disk in &plan.instance.disks {
            let request = proto::DiskAssembleRequest { disk: Some(disk.clone()), instance_name: name.clone(), as_primary: true };
            job.step(&plan.target, DiskAssemble(request)).await?;
        }
        job.log().info(format!("* starting the instance on the target node {}", plan.target_name));
        let started =
            job.step(&plan.target, InstanceStart(InstanceStartRequest { instance: Some(plan.instance.clone()), paused: false })).await;
        started.map(|_| ()).map_err(|failure| match failure {
            Failure::Node(error) => Failure::other(format!(
                "Could not start instance {name} on node {}, which is its primary node now: {error}",
                plan.target_name
            )),
            other => other,
        })
    }
}

/// Nothing may run on the source any more before the target starts.
async fn stop_on_source(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
    let name = &plan.instance.name;
    job.log().info("* checking disk consistency between source and target");
    job.log().info(format!("* shutting down instance on source node {}", plan.source_name));
    let instance =
        proto::InstanceRef { name: name.clone(), uuid: plan.instance.uuid.clone(), hypervisor: plan.instance.hypervisor.clone() };
    let stop = InstanceShutdown(InstanceShutdownRequest { instance: Some(instance), timeout_s: plan.shutdown_timeout_s });
    // One effect, one outcome.
    let outcome = job.parallel_now(vec![(plan.source.clone(), stop)]).await?.pop();
    if let Some(Err(error)) = outcome {
        if !plan.ignore_consistency && !plan.source_offline {
            return Err(Failure::other(format!(
                "Could not shutdown instance {name} on node {} ({error}); if the node is dead for certain, mark it with `gnt-node modify --offline=yes {}`, or use --ignore-consistency",
                plan.source_name, plan.source_name
            )));
        }
        job.log().warn(format!(
            "Could not shutdown instance {name} on node {}, proceeding anyway; please make sure node {} is down; error details: {error}",
            plan.source_name, plan.source_name
        ));
    }
    job.log().info("* deactivating the instance's disks on source node");
    for disk in &plan.instance.disks {
        let outcome = job.parallel_now(vec![(plan.source.clone(), DiskShutdown(disk.clone()))]).await?.pop();
        if let Some(Err(error)) = outcome
            && !plan.ignore_consistency
            && !plan.source_offline
        {
            return Err(Failure::other(format!("Can't shut down the instance's disks on node {}: {error}", plan.source_name)));
        }
    }
    Ok(())
}
