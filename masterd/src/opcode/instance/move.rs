//! `OP_INSTANCE_MOVE`: stops an instance, copies its disks to another node and lets it go on there. Goes on after a crash; until
//! the record has moved the source's disks stay what they are, and a failure removes the copies.

use std::sync::Arc;

use gannet_core::config::{AdminState, Config, Instance, Node, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::InstanceMove;
use gannet_core::param::DiskTemplate;
use gannet_proto::node::{self as proto, DiskCreateRequest, FileStorageDir, InstanceShutdownRequest, InstanceStartRequest};
use serde::{Deserialize, Serialize};

use super::{moving, remove, subject};
use crate::effect::{DiskAssemble, DiskCopy, DiskCreate, DiskRemove, FileDirCreate, FileDirRemove, InstanceShutdown, InstanceStart};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// The longest that the copy of one disk may take, in seconds: that of a large disk over a slow link (Ganeti: a day).
const COPY_TIMEOUT_S: u32 = 86_400;

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The instance as its new node gets it. The disks' paths are the same on both nodes.
    instance: proto::Instance,
    source: NodeUuid,
    source_name: String,
    target: NodeUuid,
    target_name: String,
    /// The target, for the connection between the nodes.
    target_node: Node,
    ignore_consistency: bool,
    stop: InstanceShutdownRequest,
    dir: Option<FileStorageDir>,
    start: bool,
    moved: Changes,
    hooks: Hooks,
}

impl LogicalUnit for InstanceMove {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let set = subject::lock(config, &self.instance_name, self.instance_uuid.as_deref())?;
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        let target = config.find_node(self.target_node_uuid.as_deref().unwrap_or(&self.target_node))?;
        let nodes = [&instance.primary_node, &target.uuid];
        Ok(nodes.into_iter().fold(set, |set, node| set.exclusive(Lock::Node(node.clone())).exclusive(Lock::NodeRes(node.clone()))))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        let target = held.find_node(self.target_node_uuid.as_deref().unwrap_or(&self.target_node))?;
        let source = held.node(&instance.primary_node)?;
        if self.compress != "none" {
            return Err(Refusal::invalid(format!(
                "Compression of disks on their way ('{}') is not available in this version of Gannet yet (see docs/status.md)",
                self.compress
            )));
        }
        copyable(config, instance)?;
        if target.uuid == source.uuid {
            return Err(Refusal::state(format!("Instance {} is already on the node {}", instance.name, target.name)));
        }
        node_check::online(source)?;
        node_check::usable(target)?;
        if !self.ignore_ipolicy {
            moving::policy(held, instance, target)?;
        }
        let start = instance.admin_state == AdminState::Up;
        if start {
            let needed = spec::be(config, instance).maxmem();
            let reason = format!("moving instance {}", instance.name);
            node_check::free_memory(held, &target.uuid, &instance.hypervisor, &reason, needed).await?;
        } else {
            held.log().info("Not checking memory on the secondary node as instance will not be started");
        }
        node_check::bridges(held, instance, &target.uuid).await?;
        if let Some(largest) = config.disks_of(instance).map(|disk| disk.size).max() {
            let template = moving::template(config, instance)?;
            node_check::storage_allowed(held, &target.uuid, template).await?;
            node_check::free_disk(held, &target.uuid, template, largest).await?;
        }
        Ok(plan(held, self, instance, (source, target), start))
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        let name = &plan.instance.name;
        stop(plan, job).await?;
        copy(plan, job).await?;
        // From here on only the target may run the instance.
        job.commit(plan.moved.clone()).await?;
        job.point_of_no_return().await?;
        job.log().info("Removing the disks on the original node");
        let removals = plan.instance.disks.iter().map(|disk| (plan.source.clone(), DiskRemove(disk.clone()))).collect();
        let mut all_well = true;
        for result in job.parallel(removals).await? {
            if let Err(error) = result {
                all_well = false;
                job.log().warn(format!("Could not remove a disk on node {}, remove it by hand: {error}", plan.source_name));
            }
        }
        if let Some(dir) = plan.dir.as_ref().filter(|_| all_well) {
            job.try_step(&plan.source, FileDirRemove(dir.clone())).await?;
        }
        if !plan.start {
            return Ok(());
        }
        job.log().info(format!("Starting instance {name} on node {}", plan.target_name));
        for disk in &plan.instance.disks {
            let request = proto::DiskAssembleRequest { disk: Some(disk.clone()), instance_name: name.clone(), as_primary: true };
            job.step(&plan.target, DiskAssemble(request))
                .await
                .map_err(|failure| subject::explained(failure, "Can't activate the instance's disks"))?;
        }
        let start = InstanceStartRequest { instance: Some(plan.instance.clone()), paused: false };
        job.step(&plan.target, InstanceStart(start)).await.map_err(|failure| {
            subject::explained(
                failure,
                &format!("Could not start instance {name} on node {}, which is its primary node now", plan.target_name),
            )
        })?;
        Ok(())
    }
}

/// Refuses disks that cannot be copied as they are (Ganeti: DTS_COPYABLE).
fn copyable(config: &Config, instance: &Instance) -> Result<(), Refusal> {
    for (index, disk) in config.disks_of(instance).enumerate() {
        let template = disk.dev_type.parse::<DiskTemplate>().ok();
        if template.is_some_and(DiskTemplate::is_copyable) {
            continue;
        }
        let other =
            if template.is_some_and(DiskTemplate::is_mirrored) { "; use `gnt-instance migrate` or `gnt-instance failover`" } else { "" };
        return Err(Refusal::state(format!(
            "Instance disk {index} has disk type {} and is not suitable for copying{other}",
            disk.dev_type
        )));
    }
    Ok(())
}

fn plan(held: &Held<'_>, op: &InstanceMove, instance: &Arc<Instance>, (source, target): (&Node, &Node), start: bool) -> Plan {
    let config = held.config();
    let mut moved = instance.clone();
    let changed = Arc::make_mut(&mut moved);
    changed.primary_node = target.uuid.clone();
    changed.disks_active = start;
    let disks: Vec<gannet_core::config::Disk> =
        config.disks_of(instance).map(|disk| gannet_core::config::Disk { nodes: vec![target.uuid.clone()], ..(**disk).clone() }).collect();
    let message = spec::instance_with(config, &moved, &disks.iter().collect::<Vec<_>>());
    let records = disks
        .into_iter()
        .fold(Changes::none(), |changes, disk| changes.update(held.state(), &Object::Disk(Arc::new(disk))))
        .update(held.state(), &Object::Instance(moved));
    let extra = [("TARGET_NODE", target.name.to_string()), ("SHUTDOWN_TIMEOUT", op.shutdown_timeout.to_string())];
    let mut hooks = hook_env::instance_hooks("instance-move", config, instance, &extra);
    hooks.pre_nodes.insert(target.uuid.clone());
    hooks.post_nodes.insert(target.uuid.clone());
    Plan {
        dir: remove::own_directory(instance, &message.disks),
        instance: message,
        source: source.uuid.clone(),
        source_name: source.name.to_string(),
        target: target.uuid.clone(),
        target_name: target.name.to_string(),
        target_node: target.clone(),
        ignore_consistency: op.ignore_consistency,
        stop: subject::stop(instance, op.shutdown_timeout),
        start,
        moved: records,
        hooks,
    }
}

async fn stop(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
    let name = &plan.instance.name;
    job.log().info(format!("Shutting down instance {name} on source node {}", plan.source_name));
    match job.step(&plan.source, InstanceShutdown(plan.stop.clone())).await {
        Ok(_) => Ok(()),
        Err(Failure::Node(error)) if plan.ignore_consistency => {
            job.log().warn(format!(
                "Could not shutdown instance {name} on node {0}, proceeding anyway; please make sure node {0} is down. Error details: {error}",
                plan.source_name
            ));
            Ok(())
        }
        Err(failure) => Err(subject::explained(failure, &format!("Could not shutdown instance {name} on node {}", plan.source_name))),
    }
}

/// Makes the disks on the target and fills them. Taken back by the engine when something fails.
async fn copy(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
    job.log().info(format!("Creating disks on node {}", plan.target_name));
    if let Some(dir) = &plan.dir {
        job.step(&plan.target, FileDirCreate(dir.clone())).await?;
    }
    for disk in &plan.instance.disks {
        let request =
            DiskCreateRequest { disk: Some(disk.clone()), instance_name: plan.instance.name.clone(), is_primary: true, exclusive: true };
        job.step(&plan.target, DiskCreate(request))
            .await
            .map_err(|failure| subject::explained(failure, &format!("Can't create disk {} on node {}", disk.index, plan.target_name)))?;
    }
    for disk in &plan.instance.disks {
        job.log().info(format!("Copying data for disk {}", disk.index));
        let copy = DiskCopy {
            disk: disk.clone(),
            target_disk: disk.clone(),
            target: plan.target_node.clone(),
            source_name: plan.source_name.clone(),
            timeout_s: COPY_TIMEOUT_S,
        };
        job.step(&plan.source, copy).await.map_err(|failure| subject::explained(failure, "Errors during disk copy"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn only_disks_that_lie_on_one_node_are_copied() {
        let mut config = sample::config();
        let instance = sample::instance(1, 1);
        assert!(copyable(&config, &instance).is_ok());
        assert!(copyable(&config, &Instance { disks: Vec::new(), ..instance.clone() }).is_ok(), "nothing to copy");
        let mut shared = sample::disk(1, 1);
        shared.dev_type = "sharedfile".to_owned();
        config.put(Object::Disk(Arc::new(shared)));
        let refused = copyable(&config, &instance).unwrap_err();
        assert_eq!(refused.code, gannet_core::error::ErrorCode::State);
        assert_eq!(
            refused.message,
            "Instance disk 0 has disk type sharedfile and is not suitable for copying; use `gnt-instance migrate` or `gnt-instance failover`"
        );
    }

    #[test]
    fn both_nodes_are_locked() {
        let config = sample::config();
        let locks = InstanceMove::new("web1", "node2").locks(&config).unwrap();
        let instance = Lock::Instance(sample::instance(1, 1).name);
        let expected =
            [sample::node(1).uuid, sample::node(2).uuid].into_iter().fold(LockSet::shared_cluster().exclusive(instance), |set, node| {
                set.exclusive(Lock::Node(node.clone())).exclusive(Lock::NodeRes(node))
            });
        assert_eq!(locks, expected);
    }
}
