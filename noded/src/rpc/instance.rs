//! Calls about guests. Each holds its instance's lock, and is finished here even if the caller gives up.

use std::future::Future;
use std::time::Duration;

use gannet_proto::node::instance_hotplug_request::Device as HotplugDevice;
use gannet_proto::node::{
    DiskAssembleRequest, DiskRef, Empty, HypervisorValidateRequest, Instance, InstanceBalloonRequest, InstanceHotplugRequest,
    InstanceListReply, InstanceListRequest, InstanceRebootRequest, InstanceRef, InstanceRenameRequest, InstanceShutdownReply,
    InstanceShutdownRequest, InstanceStartReply, InstanceStartRequest, ValidateReply,
};
use gannet_proto::params_from_proto;
use tonic::Status;

use super::disk;
use crate::context::Context;
use crate::hypervisor::{Device, Hotplug, Reboot};

/// `InstanceList`.
///
/// # Errors
/// None: a hypervisor that cannot be asked is named in the answer.
pub async fn instance_list(context: &Context, request: InstanceListRequest) -> Result<InstanceListReply, Status> {
    let mut reply = InstanceListReply::default();
    for name in request.hypervisors {
        let listed = match context.hypervisors.get(&name) {
            Ok(hypervisor) => hypervisor.list().await,
            Err(error) => Err(error),
        };
        match listed {
            Ok(instances) => reply.instances.extend(instances),
            Err(error) => drop(reply.errors.insert(name, error.to_string())),
        }
    }
    Ok(reply)
}

/// `InstanceStart`: makes its disks ready and starts it.
///
/// # Errors
/// When a disk or the guest cannot be brought up.
pub async fn instance_start(context: &Context, request: InstanceStartRequest) -> Result<InstanceStartReply, Status> {
    let instance = named(request.instance)?;
    let context = context.clone();
    finish(async move {
        let hypervisor = context.hypervisors.get(&instance.hypervisor)?;
        let _turn = context.instance_locks.lock(&instance.name).await;
        let _permit = context.lease.permit(instance.auto_failover.then(|| (&instance).into()), &context.node_name).await?;
        let devices = devices(&context, &instance).await?;
        Ok(hypervisor.start(&instance, &devices, request.paused).await?)
    })
    .await
}

/// `InstanceShutdown`.
///
/// # Errors
/// When the guest cannot be ended.
pub async fn instance_shutdown(context: &Context, request: InstanceShutdownRequest) -> Result<InstanceShutdownReply, Status> {
    let instance = reference(request.instance)?;
    let context = context.clone();
    finish(async move {
        let hypervisor = context.hypervisors.get(&instance.hypervisor)?;
        let _turn = context.instance_locks.lock(&instance.name).await;
        Ok(hypervisor.shutdown(&instance.name, seconds(request.timeout_s)).await?)
    })
    .await
}

/// `InstanceReboot`.
///
/// # Errors
/// When the guest does not run or the kind is not soft or hard.
pub async fn instance_reboot(context: &Context, request: InstanceRebootRequest) -> Result<Empty, Status> {
    let instance = named(request.instance)?;
    let kind = match request.kind.as_str() {
        "soft" => Reboot::Soft,
        "hard" => Reboot::Hard,
        other => return Err(Status::invalid_argument(format!("a node reboots soft or hard, not {other:?}"))),
    };
    let context = context.clone();
    finish(async move {
        let hypervisor = context.hypervisors.get(&instance.hypervisor)?;
        let _turn = context.instance_locks.lock(&instance.name).await;
        hypervisor.reboot(&instance, kind, seconds(request.timeout_s)).await?;
        Ok(Empty {})
    })
    .await
}

/// `InstanceBalloon`.
///
/// # Errors
/// When the guest does not run or has no balloon.
pub async fn instance_balloon(context: &Context, request: InstanceBalloonRequest) -> Result<Empty, Status> {
    let instance = reference(request.instance)?;
    let context = context.clone();
    finish(async move {
        let hypervisor = context.hypervisors.get(&instance.hypervisor)?;
        let _turn = context.instance_locks.lock(&instance.name).await;
        hypervisor.balloon(&instance.name, request.memory_mib).await?;
        Ok(Empty {})
    })
    .await
}

/// `InstanceHotplug`.
///
/// # Errors
/// When the guest does not run, or did not take or give the device.
pub async fn instance_hotplug(context: &Context, request: InstanceHotplugRequest) -> Result<Empty, Status> {
    let instance = named(request.instance)?;
    let device = request.device.ok_or_else(|| Status::invalid_argument("the call names no device"))?;
    let (action, context) = (request.action, context.clone());
    finish(async move {
        let hypervisor = context.hypervisors.get(&instance.hypervisor)?;
        let _turn = context.instance_locks.lock(&instance.name).await;
        let change = change(&context, &instance.name, &action, device).await?;
        hypervisor.hotplug(&instance, &change).await?;
        Ok(Empty {})
    })
    .await
}

async fn change(context: &Context, instance: &str, action: &str, device: HotplugDevice) -> Result<Hotplug, Status> {
    Ok(match (action, device) {
        ("hotadd", HotplugDevice::Nic(nic)) => Hotplug::AddNic(nic),
        ("hotremove", HotplugDevice::Nic(nic)) => Hotplug::RemoveNic(nic),
        ("hotmod", HotplugDevice::Nic(nic)) => Hotplug::ModifyNic(nic),
        ("hotadd", HotplugDevice::Disk(disk)) => Hotplug::AddDisk(assemble(context, instance, disk).await?),
        ("hotremove", HotplugDevice::Disk(disk)) => Hotplug::RemoveDisk(disk),
        ("hotmod", HotplugDevice::Disk(_)) => return Err(Status::unimplemented("a disk of a running instance cannot be modified")),
        (other, _) => return Err(Status::invalid_argument(format!("{other:?} is none of hotadd, hotremove, hotmod"))),
    })
}

/// `InstanceRename`.
///
/// # Errors
/// When the instance runs.
pub async fn instance_rename(context: &Context, request: InstanceRenameRequest) -> Result<Empty, Status> {
    let instance = reference(request.instance)?;
    let hypervisor = context.hypervisors.get(&instance.hypervisor)?;
    let _turn = context.instance_locks.lock(&instance.name).await;
    hypervisor.rename(&instance.name, &request.new_name).await?;
    Ok(Empty {})
}

/// `HypervisorValidate`.
///
/// # Errors
/// For a hypervisor that is not built in; problems of parameters are in the answer.
pub async fn hypervisor_validate(context: &Context, request: HypervisorValidateRequest) -> Result<ValidateReply, Status> {
    let hypervisor = context.hypervisors.get(&request.hypervisor)?;
    Ok(hypervisor.validate(&params_from_proto(&request.hvparams)).await)
}

/// Makes the disks of an instance ready on this node.
///
/// # Errors
/// For the first disk that cannot be.
pub async fn devices(context: &Context, instance: &Instance) -> Result<Vec<Device>, Status> {
    let mut devices = Vec::with_capacity(instance.disks.len());
    for disk in &instance.disks {
        devices.push(assemble(context, &instance.name, disk.clone()).await?);
    }
    Ok(devices)
}

async fn assemble(context: &Context, instance: &str, disk: DiskRef) -> Result<Device, Status> {
    let request = DiskAssembleRequest { disk: Some(disk.clone()), instance_name: instance.to_owned(), as_primary: true };
    let ready = disk::disk_assemble(context, request).await?;
    Ok(Device { disk, path: ready.path, uri: ready.uri })
}

/// The instance of a request.
///
/// # Errors
/// When it is missing or has no name.
#[allow(clippy::result_large_err)] // tonic's own error type
pub fn named(instance: Option<Instance>) -> Result<Instance, Status> {
    instance.filter(|instance| !instance.name.is_empty()).ok_or_else(|| Status::invalid_argument("the call names no instance"))
}

/// The reference of a request.
///
/// # Errors
/// When it is missing or has no name.
#[allow(clippy::result_large_err)] // tonic's own error type
pub fn reference(instance: Option<InstanceRef>) -> Result<InstanceRef, Status> {
    instance.filter(|instance| !instance.name.is_empty()).ok_or_else(|| Status::invalid_argument("the call names no instance"))
}

/// Carries work to its end even when the caller hangs up or its deadline passes: half a start is worse than a late one.
pub(super) async fn finish<T: Send + 'static>(work: impl Future<Output = Result<T, Status>> + Send + 'static) -> Result<T, Status> {
    tokio::spawn(work).await.map_err(|error| Status::internal(format!("the call failed inside the agent: {error}")))?
}

pub(super) fn seconds(timeout_s: u32) -> Duration {
    Duration::from_secs(u64::from(timeout_s))
}
