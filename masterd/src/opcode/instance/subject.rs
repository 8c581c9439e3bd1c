//! The instance that an opcode is about: how it is found, locked and marked.

use std::sync::Arc;

use gannet_core::config::{AdminState, AdminStateSource, Config, Instance, Object};
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_proto::node::{DiskAssembleRequest, InstanceShutdownRequest};

use crate::effect::{DiskAssemble, DiskShutdown};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::spec;
use crate::store::Changes;

/// The instance of a request: by its UUID if the request has one.
pub(super) fn find<'c>(config: &'c Config, name: &str, uuid: Option<&str>) -> Result<&'c Arc<Instance>, Refusal> {
    Ok(config.find_instance(uuid.unwrap_or(name))?)
}

/// The instance alone.
pub(super) fn lock(config: &Config, name: &str, uuid: Option<&str>) -> Result<LockSet, Refusal> {
    let instance = find(config, name, uuid)?;
    Ok(LockSet::shared_cluster().exclusive(Lock::Instance(instance.name.clone())))
}

/// The instance and its nodes.
pub(super) fn lock_with_nodes(config: &Config, name: &str, uuid: Option<&str>) -> Result<LockSet, Refusal> {
    let instance = find(config, name, uuid)?;
    let nodes = std::iter::once(&instance.primary_node).chain(config.secondary_nodes(instance));
    Ok(lock(config, name, uuid)?.all(nodes.map(|node| Lock::Node(node.clone())), Mode::Exclusive))
}

/// The record with another wanted state. Nothing when it is so already.
pub(super) fn marked(held: &Held<'_>, instance: &Instance, state: AdminState, source: AdminStateSource, disks_active: bool) -> Changes {
    let new = Instance { admin_state: state, admin_state_source: source, disks_active, ..instance.clone() };
    if new == *instance { Changes::none() } else { Changes::none().update(held.state(), &Object::Instance(Arc::new(new))) }
}

/// The same instance with its disks in use, or not.
pub(super) fn with_disks_active(held: &Held<'_>, instance: &Instance, active: bool) -> Changes {
    marked(held, instance, instance.admin_state, instance.admin_state_source, active)
}

/// Requests that make the disks usable on the primary node.
pub(super) fn assemble(config: &Config, instance: &Instance) -> Vec<DiskAssembleRequest> {
    let request = |disk| DiskAssembleRequest { disk: Some(disk), instance_name: instance.name.to_string(), as_primary: true };
    spec::disk_refs(config, instance).into_iter().map(request).collect()
}

/// Stops the guest.
pub(super) fn stop(instance: &Instance, timeout_s: u64) -> InstanceShutdownRequest {
    InstanceShutdownRequest { instance: Some(spec::instance_ref(instance)), timeout_s: seconds(timeout_s) }
}

/// Longer than a day is a day: the deadline of the call has to be finite.
pub(super) fn seconds(timeout_s: u64) -> u32 {
    u32::try_from(timeout_s).unwrap_or(u32::MAX).min(86_400)
}

/// Makes the disks usable; the paths that the guest gets, in order.
pub(super) async fn assemble_all(
    job: &mut Steps<'_>,
    node: &gannet_core::id::NodeUuid,
    disks: &[DiskAssembleRequest],
) -> Result<Vec<String>, Failure> {
    if disks.is_empty() {
        return Ok(Vec::new());
    }
    let effects = disks.iter().map(|disk| (node.clone(), DiskAssemble(disk.clone()))).collect();
    let results = job.parallel(effects).await?;
    results
        .into_iter()
        .map(|result| result.map(|reply| reply.path).map_err(|error| Failure::other(format!("Cannot activate block devices: {error}"))))
        .collect()
}

/// Ends the use of the disks; what fails is told, not fatal (Ganeti: ShutdownInstanceDisks).
pub(super) async fn release_all(
    job: &mut Steps<'_>,
    node: &gannet_core::id::NodeUuid,
    disks: &[DiskAssembleRequest],
) -> Result<bool, Failure> {
    let disks: Vec<_> = disks.iter().filter_map(|request| request.disk.clone()).collect();
    if disks.is_empty() {
        return Ok(true);
    }
    let results = job.parallel(disks.iter().map(|disk| (node.clone(), DiskShutdown(disk.clone()))).collect()).await?;
    let mut all_well = true;
    for (disk, result) in disks.iter().zip(results) {
        if let Err(error) = result {
            all_well = false;
            job.log().warn(format!("Could not shutdown block device disk/{}: {error}", disk.index));
        }
    }
    Ok(all_well)
}

/// Ganeti's sentence before the node's.
pub(super) fn explained(failure: Failure, text: &str) -> Failure {
    match failure {
        Failure::Node(error) => Failure::other(format!("{text}: {error}")),
        other => other,
    }
}
