//! `OP_INSTANCE_RENAME`: gives a stopped instance another name, and its file-based disks another directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gannet_core::config::{AdminState, Config, Disk, Instance, LogicalId, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::name::InstanceName;
use gannet_core::opcode::InstanceRename;
use gannet_proto::node::{DiskAssembleRequest, FileStorageDirRenameRequest, InstanceRenameRequest, OsRenameRequest};
use serde::{Deserialize, Serialize};

use super::create::names;
use super::subject;
use crate::effect::{self, FileDirRename, OsRename};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check, os_limit, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// The longest that the OS definition's script may take, in seconds.
const OS_TIMEOUT_S: u32 = 3600;

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    primary: NodeUuid,
    new_name: String,
    on_node: InstanceRenameRequest,
    directory: Option<FileStorageDirRenameRequest>,
    /// The disks under their new paths.
    disks: Vec<DiskAssembleRequest>,
    script: Option<OsRenameRequest>,
    changes: Changes,
    hooks: Hooks,
}

impl LogicalUnit for InstanceRename {
    type Plan = Plan;
    type Output = String;
    const AFTER_CRASH: AfterCrash = AfterCrash::Undo;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let set = subject::lock(config, &self.instance_name, self.instance_uuid.as_deref())?;
        Ok(set.exclusive(Lock::Instance(new_name(self)?)))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        let name = new_name(self)?;
        node_check::online(held.node(&instance.primary_node)?)?;
        node_check::instance_state(held, instance, &[AdminState::Down, AdminState::Offline], Some("cannot rename")).await?;
        if config.instances().any(|other| other.name == name) {
            return Err(Refusal::exists(format!("Instance '{name}' is already in the cluster")));
        }
        if self.name_check {
            let address = names::address(held, name.as_str()).await?;
            if self.ip_check {
                names::check_unused(address, name.as_str()).await?;
            }
        } else if self.ip_check {
            return Err(Refusal::invalid("IP address check requires a name check"));
        }
        let disks: Vec<Disk> = config.disks_of(instance).map(|disk| (**disk).clone()).collect();
        let (directory, moved) = moved(&instance.name, &name, &disks)?;
        let mut new: Instance = (**instance).clone();
        new.name = name.clone();
        let message = spec::instance_with(config, &new, &moved.iter().collect::<Vec<_>>());
        let assemble = |disk: &gannet_proto::node::DiskRef| DiskAssembleRequest {
            disk: Some(disk.clone()),
            instance_name: name.to_string(),
            as_primary: true,
        };
        let mut changes = Changes::none().update(held.state(), &Object::Instance(Arc::new(new)));
        for (old, disk) in disks.iter().zip(&moved).filter(|(old, disk)| old != disk) {
            debug_assert_eq!(old.uuid, disk.uuid);
            changes = changes.update(held.state(), &Object::Disk(Arc::new(disk.clone())));
        }
        let script = (!instance.os.is_empty() && !disks.is_empty()).then(|| OsRenameRequest {
            instance: Some(message.clone()),
            old_name: instance.name.to_string(),
            debug_level: 0,
            timeout_s: os_limit::seconds(OS_TIMEOUT_S),
        });
        Ok(Plan {
            primary: instance.primary_node.clone(),
            new_name: name.to_string(),
            on_node: InstanceRenameRequest { instance: Some(spec::instance_ref(instance)), new_name: name.to_string() },
            directory,
            disks: message.disks.iter().map(assemble).collect(),
            script,
            changes,
            hooks: hook_env::instance_hooks("instance-rename", config, instance, &[("INSTANCE_NEW_NAME", name.to_string())]),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<String, Failure> {
        if let Some(directory) = &plan.directory {
            let done = job.step(&plan.primary, FileDirRename(directory.clone())).await;
            done.map_err(|failure| subject::explained(failure, "Could not rename the directory of the disks"))?;
        }
        job.step(&plan.primary, effect::InstanceRename(plan.on_node.clone())).await?;
        job.commit(plan.changes.clone()).await?;
        // Ganeti: the instance has its new name from here on, whatever the script says.
        job.point_of_no_return().await?;
        if let Some(script) = &plan.script {
            subject::assemble_all(job, &plan.primary, &plan.disks).await?;
            job.log().info("Running the OS definition's rename script...");
            job.try_step(&plan.primary, OsRename(script.clone())).await?;
            subject::release_all(job, &plan.primary, &plan.disks).await?;
        }
        Ok(plan.new_name.clone())
    }
}

fn new_name(op: &InstanceRename) -> Result<InstanceName, Refusal> {
    op.new_name.parse().map_err(|error: gannet_core::name::InvalidName| Refusal::invalid(error.to_string()))
}

/// The disks under the new name: those in files lie in a directory that is called as the instance.
fn moved(old: &InstanceName, new: &InstanceName, disks: &[Disk]) -> Result<(Option<FileStorageDirRenameRequest>, Vec<Disk>), Refusal> {
    let mut directory = None;
    let mut all = Vec::new();
    for disk in disks {
        let mut disk = disk.clone();
        if let LogicalId::File { path, .. } = &mut disk.logical_id {
            let old_path = PathBuf::from(&*path);
            let (Some(dir), Some(file)) = (old_path.parent(), old_path.file_name()) else {
                return Err(Refusal::state(format!("The disk {} has the path {path}, which has no directory", disk.uuid)));
            };
            // A disk that was put elsewhere on purpose stays there.
            if dir.file_name().is_some_and(|name| name == old.as_str()) {
                let new_dir = dir.parent().unwrap_or(Path::new("/")).join(new.as_str());
                *path = new_dir.join(file).display().to_string();
                directory =
                    Some(FileStorageDirRenameRequest { old_path: dir.display().to_string(), new_path: new_dir.display().to_string() });
            }
        }
        all.push(disk);
    }
    Ok((directory, all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn files_move_with_the_name() {
        let config = sample::config();
        let instance = config.find_instance("web1").unwrap();
        let mut disk: Disk = (**config.disks_of(instance).next().unwrap()).clone();
        disk.logical_id = LogicalId::File { driver: "loop".into(), path: "/srv/files/web1.example.com/x.file.disk0".into() };
        let (directory, moved) = moved(&instance.name, &"db.example.com".parse().unwrap(), &[disk]).unwrap();
        assert_eq!(moved[0].logical_id.path(), Some("/srv/files/db.example.com/x.file.disk0"));
        let directory = directory.unwrap();
        assert_eq!(
            (directory.old_path.as_str(), directory.new_path.as_str()),
            ("/srv/files/web1.example.com", "/srv/files/db.example.com")
        );
    }
}
