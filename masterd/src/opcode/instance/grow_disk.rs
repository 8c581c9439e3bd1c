//! `OP_INSTANCE_GROW_DISK`: makes a disk larger. A grown disk is never shrunk again.

use std::sync::Arc;

use gannet_core::config::{Config, Disk, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::InstanceGrowDisk;
use gannet_core::param::{DiskTemplate, ipolicy};
use gannet_core::quantity::Mib;
use gannet_proto::node::{DiskGrowRequest, DiskRef};
use serde::{Deserialize, Serialize};

use super::subject;
use crate::effect::DiskGrow;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    nodes: Vec<NodeUuid>,
    grow: DiskGrowRequest,
    changes: Changes,
    hooks: Hooks,
}

impl LogicalUnit for InstanceGrowDisk {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        let nodes = std::iter::once(&instance.primary_node).chain(config.secondary_nodes(instance)).cloned();
        let set = subject::lock_with_nodes(config, &self.instance_name, self.instance_uuid.as_deref())?;
        Ok(set.all(nodes.map(Lock::NodeRes), Mode::Exclusive))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        node_check::online(held.node(&instance.primary_node)?)?;
        let disk = config.disks_of(instance).nth(usize::from(self.disk));
        let disk = disk.ok_or_else(|| {
            Refusal::no_entity(format!("Invalid disk index passed, the instance {} has no disk {}", instance.name, self.disk))
        })?;
        let template: DiskTemplate = disk
            .dev_type
            .parse()
            .map_err(|_| Refusal::state(format!("Instance's disk layout '{}' does not support growing", disk.dev_type)))?;
        if !template.is_growable() {
            return Err(Refusal::invalid(format!("Instance's disk layout {template} does not support growing")));
        }
        let size = target(disk, self.amount, self.absolute)?;
        let mut grown = (**disk).clone();
        grown.size = size;
        if !self.ignore_ipolicy {
            policy(config, instance, &grown)?;
        }
        let delta = size.saturating_sub(disk.size);
        node_check::free_disk(held, &instance.primary_node, template, delta).await?;
        let extra = [("DISK", self.disk.to_string()), ("AMOUNT", self.amount.to_string()), ("ABSOLUTE", hook_env::flag(self.absolute))];
        let grow = DiskGrowRequest { disk: Some(DiskRef::from_disk(disk, u32::from(self.disk))), size_mib: size.0, dry_run: false };
        Ok(Plan {
            nodes: std::iter::once(&instance.primary_node).chain(config.secondary_nodes(instance)).cloned().collect(),
            grow,
            changes: Changes::none().update(held.state(), &Object::Disk(Arc::new(grown))),
            hooks: hook_env::instance_hooks("disk-grow", config, instance, &extra),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        job.log().info(format!("Growing disk to {} MiB", plan.grow.size_mib));
        for node in &plan.nodes {
            job.step(node, DiskGrow(plan.grow.clone())).await.map_err(|failure| subject::explained(failure, "Can't grow the disk"))?;
        }
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

/// The size after it.
fn target(disk: &Disk, amount: u64, absolute: bool) -> Result<Mib, Refusal> {
    if !absolute {
        return Ok(disk.size + Mib(amount));
    }
    if Mib(amount) < disk.size {
        return Err(Refusal::state(format!("Requested size ({}) is smaller than current disk size ({})", Mib(amount), disk.size)));
    }
    Ok(Mib(amount))
}

fn policy(config: &Config, instance: &gannet_core::config::Instance, grown: &Disk) -> Result<(), Refusal> {
    let Some(group) = spec::group_of(config, &instance.primary_node) else { return Ok(()) };
    let disks: Vec<Disk> =
        config.disks_of(instance).map(|disk| if disk.uuid == grown.uuid { grown.clone() } else { (**disk).clone() }).collect();
    let found = ipolicy::violations(&spec::ipolicy(config, group), &spec::policy_spec(config, instance, &disks));
    if found.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!("Growing the disk of instance {} violates policy: {}", instance.name, found.join(", "))))
}
