//! What the node is asked before anything changes, and the policy of its group.

use gannet_core::config::{AdminState, AdminStateSource, Config, Disk, Instance, Nic, Node};
use gannet_core::error::ErrorCode;
use gannet_core::opcode::{InstanceSetParams, ModAction};
use gannet_core::param::{DiskTemplate, ipolicy};
use gannet_core::quantity::Mib;
use gannet_proto::node::{HypervisorValidateRequest, NodeInfoRequest, OsValidateRequest};
use gannet_proto::params_to_proto;

use super::story::{self, Story};
use crate::held::Held;
use crate::refusal::Refusal;
use crate::reserve::Resource;
use crate::rule::{node_check, spec};

/// Options that only mean something together with others.
pub(super) fn arguments(op: &InstanceSetParams) -> Result<(), Refusal> {
    let makes_disks =
        op.disk_template.is_some() || op.disks.iter().any(|change| matches!(change.action, ModAction::Add | ModAction::Attach));
    let useless = [
        (op.remote_node.is_some() && op.disk_template.is_none(), "A secondary node has a meaning only with a new disk template"),
        (op.iallocator.is_some() && op.disk_template.is_none(), "An iallocator has a meaning only with a new disk template"),
        (op.file_driver.is_some() && !makes_disks, "A file driver has a meaning only for new disks or with a new disk template"),
        (
            op.file_storage_dir.is_some() && !makes_disks,
            "A file storage directory has a meaning only for new disks or with a new disk template",
        ),
        (!op.ext_params.is_empty(), "Parameters for external storage have a meaning only for the disk template ext"),
        (op.instance_communication.is_some(), "Instance communication is not available in this version of Gannet yet (see docs/status.md)"),
    ];
    match useless.iter().find(|(given, _)| *given) {
        Some((_, text)) => Err(Refusal::invalid(*text)),
        None => Ok(()),
    }
}

/// Whether the running guest is changed too: it runs, and its hypervisor can.
pub(super) async fn hotplug(op: &InstanceSetParams, held: &Held<'_>, instance: &Instance) -> Result<bool, Refusal> {
    if !op.hotplug || (op.nics.is_empty() && op.disks.is_empty()) {
        return Ok(false);
    }
    let without = |reason: String| {
        held.log().warn(reason);
        held.log().info("Modification will take place without hotplugging.");
        Ok(false)
    };
    let node = held.node(&instance.primary_node)?;
    if node.offline {
        return without(format!("Node {} is marked offline", node.name));
    }
    match node_check::oper_info(held, instance, &node.uuid).await {
        Err(refusal) => without(refusal.message),
        Ok(info) if !node_check::is_running(info.as_ref()) => Ok(false),
        Ok(_) if !story::can_hotplug(&instance.hypervisor) => {
            without(format!("Hotplug is not supported by hypervisor {}", instance.hypervisor))
        }
        Ok(_) => Ok(true),
    }
}

/// Disks that a running guest uses are not taken away under it.
pub(super) async fn removals(op: &InstanceSetParams, held: &Held<'_>, instance: &Instance, story: &Story) -> Result<(), Refusal> {
    for (action, word) in [(ModAction::Remove, "remove"), (ModAction::Detach, "detach")] {
        if !story.hotplug() && op.disks.iter().any(|change| change.action == action) {
            let text = format!("can't {word} volume from a running instance without using hotplug");
            node_check::instance_state(held, instance, &[AdminState::Down, AdminState::Offline], Some(&text)).await?;
        }
    }
    Ok(())
}

/// Bridges of NICs that are new or changed.
pub(super) async fn bridges(op: &InstanceSetParams, held: &Held<'_>, instance: &Instance, new: &[Nic]) -> Result<(), Refusal> {
    let nics: Vec<Nic> = new.iter().filter(|nic| !instance.nics.contains(nic)).cloned().collect();
    if nics.is_empty() {
        return Ok(());
    }
    let changed = Instance { nics, ..instance.clone() };
    match node_check::bridges(held, &changed, &instance.primary_node).await {
        Err(refusal) if op.force => {
            held.log().warn(refusal.message);
            Ok(())
        }
        result => result,
    }
}

/// Room for disks that are to be made.
pub(super) async fn room(held: &Held<'_>, instance: &Instance, new: &[Disk]) -> Result<(), Refusal> {
    let Some(template) = new.first().and_then(|disk| disk.dev_type.parse::<DiskTemplate>().ok()) else { return Ok(()) };
    let node = held.node(&instance.primary_node)?;
    node_check::online(node)?;
    let largest = new.iter().map(|disk| disk.size).max().unwrap_or(Mib(0));
    node_check::storage_allowed(held, &node.uuid, template).await?;
    node_check::free_disk(held, &node.uuid, template, largest).await
}

/// The node that is to be the primary one. Its disks are there already: whoever asks for this has moved them.
pub(super) async fn new_primary<'h>(op: &InstanceSetParams, held: &'h Held<'_>, instance: &Instance) -> Result<Option<&'h Node>, Refusal> {
    let Some(name) = op.pnode_uuid.as_deref().or(op.pnode.as_deref()) else { return Ok(None) };
    let node = held.find_node(name)?;
    if op.force || node.uuid == instance.primary_node {
        return Ok(Some(node));
    }
    node_check::usable(node)?;
    let old = held.node(&instance.primary_node)?;
    match node_check::oper_info(held, instance, &old.uuid).await {
        Err(refusal) => held.log().warn(format!("Can't get instance runtime information: {}", refusal.message)),
        Ok(None) => {}
        Ok(Some(_)) => return Err(Refusal::state(format!("Instance is still running on {}", old.name))),
    }
    Ok(Some(node))
}

pub(super) async fn set_offline(
    op: &InstanceSetParams,
    held: &Held<'_>,
    instance: &mut Instance,
    story: &mut Story,
) -> Result<(), Refusal> {
    let Some(offline) = op.offline else { return Ok(()) };
    let (to, text) = if offline {
        (AdminState::Offline, "can't change to offline without being down first")
    } else {
        (AdminState::Down, "can't change to online (down) without being offline first")
    };
    node_check::instance_state(held, instance, &[AdminState::Down, AdminState::Offline], Some(text)).await?;
    instance.admin_state = to;
    instance.admin_state_source = AdminStateSource::Admin;
    story.tell("admin_state", to.as_str());
    Ok(())
}

pub(super) async fn balloon(op: &InstanceSetParams, held: &Held<'_>, instance: &Instance, mib: u64) -> Result<(), Refusal> {
    let info = node_check::oper_info(held, instance, &instance.primary_node).await?;
    if !node_check::is_running(info.as_ref()) {
        return Err(Refusal::state(format!("Instance {} is not running, so its runtime memory cannot be set", instance.name)));
    }
    let filled = spec::be(held.config(), instance);
    let (low, high) = (filled.minmem().0, filled.maxmem().0);
    if !op.force && !(low..=high).contains(&mib) {
        return Err(Refusal::invalid(format!(
            "Instance {} must have memory between {low} and {high} MiB of memory unless --force is given",
            instance.name
        )));
    }
    Ok(())
}

/// More memory than the node could give would prevent the next start (Ganeti: _ProcessMem). A node that cannot say is no hindrance.
pub(super) async fn memory(op: &InstanceSetParams, held: &Held<'_>, old: &Instance, new: &Instance) -> Result<(), Refusal> {
    let wanted = spec::be(held.config(), new).maxmem();
    let node = held.node(&new.primary_node)?;
    if op.force || wanted <= spec::be(held.config(), old).maxmem() || node.offline {
        return Ok(());
    }
    match available(held, old).await {
        Err(refusal) => held.log().warn(format!("Can't get info from primary node {}: {}", node.name, refusal.message)),
        Ok(Mib(there)) if wanted.0 > there => {
            return Err(Refusal::no_resources(format!(
                "This change will prevent the instance from starting, due to {} MB of memory missing on its primary node {}",
                wanted.0 - there,
                node.name
            )));
        }
        Ok(_) => {}
    }
    Ok(())
}

/// What is free on the instance's node, or in its own use.
async fn available(held: &Held<'_>, instance: &Instance) -> Result<Mib, Refusal> {
    let node = &instance.primary_node;
    let info = node_check::oper_info(held, instance, node).await?.filter(|info| node_check::is_running(Some(info)));
    let request = NodeInfoRequest { hypervisors: vec![instance.hypervisor.clone()], storage: Vec::new() };
    let free = held.ask(node)?.node_info(request).await?.memory_free_mib;
    Ok(Mib(free + info.map_or(0, |info| info.memory_mib)))
}

/// Disks that belonged to nobody: no other job may take them meanwhile.
pub(super) fn reserve(held: &Held<'_>, attached: &[Disk]) -> Result<(), Refusal> {
    match attached.iter().find(|disk| !held.reserve(Resource::Disk(disk.uuid.clone()))) {
        Some(disk) => Err(Refusal::new(ErrorCode::TempNoResources, format!("Another job is attaching disk {}", disk.uuid))),
        None => Ok(()),
    }
}

/// Hypervisor and OS parameters, on the node.
pub(super) async fn params(op: &InstanceSetParams, held: &Held<'_>, new: &Instance) -> Result<(), Refusal> {
    let config = held.config();
    let node = held.node(&new.primary_node)?;
    if op.force || node.offline {
        return Ok(());
    }
    if !op.hvparams.is_empty() {
        let request = HypervisorValidateRequest { hypervisor: new.hypervisor.clone(), hvparams: params_to_proto(&spec::hv(config, new).0) };
        let reply = held.ask(&node.uuid)?.hypervisor_validate(request).await?;
        reply.warnings.iter().for_each(|warning| held.log().warn(warning));
        if let Some(problem) = reply.problems.first() {
            return Err(Refusal::invalid(format!("Hypervisor parameter validation failed on node {}: {problem}", node.name)));
        }
    }
    if op.os_name.is_some() || !op.osparams.is_empty() || op.osparams_private.as_ref().is_some_and(|params| !params.is_empty()) {
        let message = spec::instance(config, new);
        let request = OsValidateRequest {
            os: new.os.clone(),
            osparams: message.osparams.into_iter().chain(message.osparams_private).collect(),
            checks: vec!["parameters".to_owned()],
            required: true,
            force_variant: op.force_variant,
        };
        let reply = held.ask(&node.uuid)?.os_validate(request).await?;
        if let Some(problem) = reply.problems.first() {
            return Err(Refusal::invalid(format!("OS '{}' cannot be used on node {}: {problem}", new.os, node.name)));
        }
    }
    Ok(())
}

/// The policy of the group, with the most and with the least memory.
pub(super) fn policy(config: &Config, instance: &Instance, disks: &[Disk]) -> Result<(), Refusal> {
    let Some(group) = spec::group_of(config, &instance.primary_node) else { return Ok(()) };
    let policy = spec::ipolicy(config, group);
    let most = spec::policy_spec(config, instance, disks);
    let least = ipolicy::InstanceSpec { memory_mib: Some(spec::be(config, instance).minmem().0), ..most.clone() };
    let mut found = ipolicy::violations(&policy, &most);
    found.extend(ipolicy::violations(&policy, &least).into_iter().filter(|text| !found.contains(text)).collect::<Vec<_>>());
    if found.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!("Instance allocation to group {} ({}) violates policy: {}", group.uuid, group.name, found.join(", "))))
}
