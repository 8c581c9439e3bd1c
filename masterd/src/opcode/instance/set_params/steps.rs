//! Carries the plan out. What can be taken back comes first: disks that are made, filled, moved, or given up by the running
//! guest. Then the record changes; after it the guest gets its devices, and disks that are no longer anybody's end.

use gannet_core::config::Node;
use gannet_core::id::NodeUuid;
use gannet_proto::node::{DiskCreateRequest, DiskRef, DiskRenameRequest, DiskWipeRequest, InstanceBalloonRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::story::{Plug, Told};
use crate::effect::{DiskCopy, DiskCreate, DiskRemove, DiskRename, DiskShutdown, DiskWipe, InstanceBalloon, InstanceHotplug, NodeEffect};
use crate::job::Steps;
use crate::opcode::instance::subject;
use crate::refusal::Failure;
use crate::store::Changes;

/// The longest that the copy of one disk may take, in seconds (as for a move).
const COPY_TIMEOUT_S: u32 = 86_400;

/// What is done on the node.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Work {
    pub(super) balloon: Option<InstanceBalloonRequest>,
    /// Old disks that are used no longer, before they are copied or leave.
    pub(super) release: Vec<DiskRef>,
    pub(super) create: Vec<DiskCreateRequest>,
    pub(super) wipe: Vec<DiskWipeRequest>,
    /// From, to.
    pub(super) copy: Vec<(DiskRef, DiskRef)>,
    /// Disks that come to the instance.
    pub(super) take: Vec<DiskRenameRequest>,
    /// Disks that leave it and are kept.
    pub(super) leave: Vec<DiskRenameRequest>,
    pub(super) plugs: Vec<Plug>,
    pub(super) remove: Vec<DiskRef>,
}

impl Work {
    fn is_done_with_the_record(&self) -> bool {
        self.remove.is_empty() && self.plugs.iter().all(|plug| plug.early)
    }
}

/// All of it, and the result.
pub(super) async fn run(
    node: &Node,
    work: &Work,
    changes: &Changes,
    told: &[Told],
    job: &mut Steps<'_>,
) -> Result<Vec<(String, Value)>, Failure> {
    if let Some(request) = &work.balloon {
        let done = job.step(&node.uuid, InstanceBalloon(request.clone())).await;
        done.map_err(|failure| subject::explained(failure, "Cannot modify instance runtime memory"))?;
    }
    let mut plugged = vec![true; work.plugs.len()];
    unplug(node, work, job).await?;
    make(node, work, job).await?;
    if work.is_done_with_the_record() {
        job.finish_with(changes.clone());
        return Ok(result(told, &plugged));
    }
    job.commit(changes.clone()).await?;
    job.point_of_no_return().await?;
    for (number, plug) in work.plugs.iter().enumerate().filter(|(_, plug)| !plug.early) {
        plugged[number] = late(&node.uuid, plug, job).await?;
    }
    remove(node, &work.remove, job).await?;
    Ok(result(told, &plugged))
}

/// Takes disks from the running guest. A guest that does not let one go keeps it: its data is not touched.
async fn unplug(node: &Node, work: &Work, job: &mut Steps<'_>) -> Result<(), Failure> {
    for plug in work.plugs.iter().filter(|plug| plug.early) {
        job.log().info("Trying to hotplug device...");
        let done = job.step(&node.uuid, InstanceHotplug(plug.request.clone())).await;
        let text = "Could not hotplug device; the disk stays with the running guest. Error details";
        done.map_err(|failure| subject::explained(failure, text))?;
        job.log().info("Hotplug done.");
    }
    for disk in &work.release {
        let done = job.step(&node.uuid, DiskShutdown(disk.clone())).await;
        done.map_err(|failure| subject::explained(failure, &format!("Cannot shutdown instance disk {}", disk.index)))?;
    }
    Ok(())
}

/// Makes, fills and moves disks.
async fn make(node: &Node, work: &Work, job: &mut Steps<'_>) -> Result<(), Failure> {
    each(&node.uuid, work.create.iter().cloned().map(DiskCreate), job, "Can't create a disk").await?;
    each(&node.uuid, work.wipe.iter().cloned().map(DiskWipe), job, "Can't wipe a disk").await?;
    for (from, to) in &work.copy {
        job.log().info(format!(" - copying data from disk {} ({}), size {} MiB", from.index, from.dev_type, from.size_mib));
        let copy = DiskCopy {
            disk: from.clone(),
            target_disk: to.clone(),
            target: node.clone(),
            source_name: node.name.to_string(),
            timeout_s: COPY_TIMEOUT_S,
        };
        let done = job.step(&node.uuid, copy).await;
        done.map_err(|failure| subject::explained(failure, "Error while converting the instance's template"))?;
    }
    each(&node.uuid, work.take.iter().cloned().map(DiskRename), job, "Failed before attach").await?;
    each(&node.uuid, work.leave.iter().cloned().map(DiskRename), job, "Failed before detach").await
}

async fn each<E: NodeEffect>(node: &NodeUuid, effects: impl Iterator<Item = E>, job: &mut Steps<'_>, text: &str) -> Result<(), Failure> {
    for effect in effects {
        job.step(node, effect).await.map_err(|failure| subject::explained(failure, text))?;
    }
    Ok(())
}

/// A device that the guest gets, or a NIC that it loses: the record says so already, and the next start brings it about.
async fn late(node: &NodeUuid, plug: &Plug, job: &mut Steps<'_>) -> Result<bool, Failure> {
    job.log().info("Trying to hotplug device...");
    match job.parallel(vec![(node.clone(), InstanceHotplug(plug.request.clone()))]).await?.pop() {
        Some(Err(error)) => {
            job.log().warn(format!("Could not hotplug device: {error}"));
            job.log().info("Continuing execution..");
            Ok(false)
        }
        _ => {
            job.log().info("Hotplug done.");
            Ok(true)
        }
    }
}

async fn remove(node: &Node, disks: &[DiskRef], job: &mut Steps<'_>) -> Result<(), Failure> {
    if disks.is_empty() {
        return Ok(());
    }
    let effects = disks.iter().map(|disk| (node.uuid.clone(), DiskRemove(disk.clone()))).collect();
    for (disk, result) in disks.iter().zip(job.parallel(effects).await?) {
        if let Err(error) = result {
            let place = &disk.logical_second;
            job.log().warn(format!("Could not remove disk {} ({place}) on node {}, remove it by hand: {error}", disk.index, node.name));
        }
    }
    Ok(())
}

fn result(told: &[Told], plugged: &[bool]) -> Vec<(String, Value)> {
    let word = |number: usize| if plugged.get(number).copied().unwrap_or(false) { "hotplug:done" } else { "hotplug:failed" };
    let line = |line: &Told| match line {
        Told::Change(name, value) => (name.clone(), value.clone()),
        Told::Plug(name, number) => (name.clone(), word(*number).into()),
    };
    told.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_result_tells_how_plugging_went() {
        let told = [Told::Change("nic.0".to_owned(), json!("add")), Told::Plug("nic.0".to_owned(), 0), Told::Plug("disk/1".to_owned(), 1)];
        let expected = json!([["nic.0", "add"], ["nic.0", "hotplug:done"], ["disk/1", "hotplug:failed"]]);
        assert_eq!(json!(result(&told, &[true, false])), expected);
    }
}
