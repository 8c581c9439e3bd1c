//! `OP_INSTANCE_REMOVE`: removes an instance with its disks. Goes on after a crash: what is gone does not come back.

use std::path::Path;

use gannet_core::config::{Config, Instance, ObjectKind};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::InstanceRemove;
use gannet_proto::node::{DiskRef, FileStorageDir, InstanceShutdownRequest};
use serde::{Deserialize, Serialize};

use super::subject;
use crate::effect::{DiskRemove, FileDirRemove, InstanceShutdown};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    name: String,
    primary: NodeUuid,
    primary_name: String,
    stop: InstanceShutdownRequest,
    /// Each where it can be removed.
    disks: Vec<(NodeUuid, DiskRef)>,
    dir: Option<(NodeUuid, FileStorageDir)>,
    ignore_failures: bool,
    removed: Changes,
    hooks: Hooks,
}

impl LogicalUnit for InstanceRemove {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let set = subject::lock_with_nodes(config, &self.instance_name, self.instance_uuid.as_deref())?;
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        let nodes = std::iter::once(&instance.primary_node).chain(config.secondary_nodes(instance));
        Ok(set.all(nodes.map(|node| Lock::NodeRes(node.clone())), Mode::Exclusive))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        let removed = config
            .disks_of(instance)
            .fold(Changes::none(), |changes, disk| changes.remove(held.state(), ObjectKind::Disk, disk.uuid.as_str()))
            .remove(held.state(), ObjectKind::Instance, instance.uuid.as_str());
        let extra = [("SHUTDOWN_TIMEOUT", self.shutdown_timeout.to_string())];
        let mut hooks = hook_env::instance_hooks("instance-remove", config, instance, &extra);
        hooks.pre_nodes = [config.cluster().master_node.clone()].into_iter().collect();
        let disks = removals(config, instance);
        Ok(Plan {
            name: instance.name.to_string(),
            primary: instance.primary_node.clone(),
            primary_name: spec::node_name(config, &instance.primary_node),
            stop: subject::stop(instance, self.shutdown_timeout),
            dir: directory(instance, &disks),
            disks,
            ignore_failures: self.ignore_failures,
            removed,
            hooks,
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        stop(plan, job).await?;
        if !plan.disks.is_empty() {
            let effects = plan.disks.iter().map(|(node, disk)| (node.clone(), DiskRemove(disk.clone()))).collect();
            let mut all_well = true;
            for (result, (_, disk)) in job.parallel(effects).await?.into_iter().zip(&plan.disks) {
                if let Err(error) = result {
                    all_well = false;
                    job.log().warn(format!("Could not remove disk {}, continuing anyway: {error}", disk.index));
                }
            }
            if !all_well && !plan.ignore_failures {
                return Err(Failure::other("Can't remove instance's disks"));
            }
            if !all_well {
                job.log().info("Warning: can't remove instance's disks");
            }
            if let Some((node, dir)) = plan.dir.as_ref().filter(|_| all_well) {
                job.try_step(node, FileDirRemove(dir.clone())).await?;
            }
        }
        job.finish_with(plan.removed.clone());
        Ok(())
    }
}

async fn stop(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
    match job.step(&plan.primary, InstanceShutdown(plan.stop.clone())).await {
        Ok(_) => Ok(()),
        Err(Failure::Node(error)) if plan.ignore_failures => {
            job.log().info(format!("Warning: can't shutdown instance: {error}"));
            Ok(())
        }
        Err(failure) => {
            let text = format!("Could not shutdown instance '{}' on node '{}'", plan.name, plan.primary_name);
            Err(subject::explained(failure, &text))
        }
    }
}

/// Where each disk is removed: on its node; one on shared storage on the primary node or, when that is down, on any other.
fn removals(config: &Config, instance: &Instance) -> Vec<(NodeUuid, DiskRef)> {
    let is_down = |uuid: &NodeUuid| config.node(uuid).is_none_or(|node| node.offline);
    let other = || config.nodes().find(|node| !node.offline && node_check::vm_capable(node).is_ok()).map(|node| node.uuid.clone());
    let shared_on = if is_down(&instance.primary_node) { other() } else { None };
    let place = |disk: &gannet_core::config::Disk| {
        if disk.nodes.is_empty() {
            shared_on.clone().unwrap_or_else(|| instance.primary_node.clone())
        } else {
            instance.primary_node.clone()
        }
    };
    config.disks_of(instance).map(|disk| place(disk)).zip(spec::disk_refs(config, instance)).collect()
}

/// The instance's own directory, and the node on which it is removed.
fn directory(instance: &Instance, disks: &[(NodeUuid, DiskRef)]) -> Option<(NodeUuid, FileStorageDir)> {
    let dir = own_directory(instance, disks.iter().map(|(_, disk)| disk))?;
    // Disks of one instance are removed on one node.
    disks.first().map(|(node, _)| (node.clone(), dir))
}

/// The directory of the instance's file-based disks: that of the first one, if it is named like the instance.
pub(super) fn own_directory<'d>(instance: &Instance, disks: impl IntoIterator<Item = &'d DiskRef>) -> Option<FileStorageDir> {
    let disk = disks.into_iter().find(|disk| ["file", "sharedfile"].contains(&disk.dev_type.as_str()))?;
    let dir = Path::new(&disk.logical_second).parent()?;
    let is_own = dir.file_name().is_some_and(|name| name == instance.name.as_str());
    is_own.then(|| FileStorageDir { path: dir.to_string_lossy().into_owned() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gannet_core::config::Object;

    use super::*;
    use crate::rule::sample;

    #[test]
    fn shared_disks_are_removed_where_a_node_is_up() {
        let mut config = sample::config();
        let instance = sample::instance(1, 1);
        let local = removals(&config, &instance);
        assert_eq!(local[0].0, instance.primary_node);
        let mut shared = sample::disk(1, 1);
        shared.dev_type = "sharedfile".to_owned();
        shared.nodes.clear();
        config.put(Object::Disk(Arc::new(shared)));
        assert_eq!(removals(&config, &instance)[0].0, instance.primary_node);
        let mut down = sample::node(1);
        down.offline = true;
        config.put(Object::Node(Arc::new(down)));
        assert_ne!(removals(&config, &instance)[0].0, instance.primary_node);
    }

    #[test]
    fn only_a_directory_of_its_own_is_removed() {
        let instance = sample::instance(1, 1);
        let with_path = |path: &str| {
            let disk = DiskRef { dev_type: "file".to_owned(), logical_second: path.to_owned(), ..DiskRef::default() };
            directory(&instance, &[(instance.primary_node.clone(), disk)]).map(|(_, dir)| dir.path)
        };
        assert_eq!(with_path("/srv/x/web1.example.com/a.disk0").as_deref(), Some("/srv/x/web1.example.com"));
        assert_eq!(with_path("/srv/x/a.disk0"), None);
    }
}
