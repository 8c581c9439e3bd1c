//! Whether a node can do what is wanted of it. The wording of the refusals is Ganeti's.

use std::collections::BTreeSet;

use gannet_core::config::{Config, Instance, Node};
use gannet_core::id::NodeUuid;
use gannet_core::param::{DiskTemplate, NicMode};
use gannet_core::quantity::Mib;
use gannet_proto::node::{
    InstanceInfo, InstanceListRequest, InstanceState, NodeInfoReply, NodeInfoRequest, StorageSpace, StorageUnit, VerifyRequest,
};

use super::spec;
use crate::held::Held;
use crate::refusal::Refusal;

/// Ganeti: CheckNodeOnline.
///
/// # Errors
/// The node is marked offline.
pub fn online(node: &Node) -> Result<(), Refusal> {
    if node.offline { Err(Refusal::state(format!("Can't use offline node: {}", node.name))) } else { Ok(()) }
}

/// Ganeti: CheckNodeNotDrained.
///
/// # Errors
/// The node is drained.
pub fn not_drained(node: &Node) -> Result<(), Refusal> {
    if node.drained { Err(Refusal::state(format!("Can't use drained node {}", node.name))) } else { Ok(()) }
}

/// Ganeti: CheckNodeVmCapable.
///
/// # Errors
/// The node may not hold instances.
pub fn vm_capable(node: &Node) -> Result<(), Refusal> {
    if node.vm_capable { Ok(()) } else { Err(Refusal::state(format!("Can't use non-vm_capable node {}", node.name))) }
}

/// All three: whether an instance may be put on the node.
///
/// # Errors
/// The first reason why not.
pub fn usable(node: &Node) -> Result<(), Refusal> {
    online(node)?;
    not_drained(node)?;
    vm_capable(node)
}

/// Refuses when the node has less free memory than `needed` (Ganeti: CheckNodeFreeMemory). `reason` completes the sentence,
/// e.g. `starting instance web1`.
///
/// # Errors
/// Too little memory, or the node does not answer.
pub async fn free_memory(held: &Held<'_>, node: &NodeUuid, hypervisor: &str, reason: &str, needed: Mib) -> Result<(), Refusal> {
    let name = &held.node(node)?.name;
    let request = NodeInfoRequest { hypervisors: vec![hypervisor.to_owned()], storage: Vec::new() };
    let info = held
        .ask(node)?
        .node_info(request)
        .await
        .map_err(|error| Refusal::environment(format!("Can't get data from node {name}: {error}")))?;
    if needed.0 > info.memory_free_mib {
        return Err(Refusal::no_resources(format!(
            "Not enough memory on node {name} for {reason}: needed {needed}, available {}",
            Mib(info.memory_free_mib)
        )));
    }
    Ok(())
}

/// The directory of the cluster in which disks of a file-based template lie; `None` for other templates.
#[must_use]
pub fn storage_dir(config: &Config, template: DiskTemplate) -> Option<&str> {
    let cluster = config.cluster();
    match template {
        DiskTemplate::File => Some(&cluster.file_storage_dir),
        DiskTemplate::SharedFile => Some(&cluster.shared_file_storage_dir),
        DiskTemplate::Gluster => Some(&cluster.gluster_storage_dir),
        _ => None,
    }
}

/// What to ask a node for the space of the disks of `template`: the directory and those above it, since a node has the
/// directory itself only once a disk was made there.
#[must_use]
pub fn storage_units(config: &Config, template: DiskTemplate) -> Vec<StorageUnit> {
    let Some(dir) = storage_dir(config, template).filter(|dir| !dir.is_empty()) else { return Vec::new() };
    let paths = std::path::Path::new(dir).ancestors();
    paths.map(|path| StorageUnit { r#type: template.as_str().to_owned(), key: path.to_string_lossy().into_owned() }).collect()
}

/// The space in the answer to such a question: that of the innermost directory that is there.
#[must_use]
pub fn known_space(info: &NodeInfoReply) -> Option<&StorageSpace> {
    info.storage.iter().find(|space| space.error.is_empty())
}

/// Refuses when a disk of `largest` could never be filled on the node. Images are sparse, as in Ganeti, so several may
/// promise more than there is; but one that is larger than all free space is a mistake.
///
/// # Errors
/// Too little space, or the node cannot say.
pub async fn free_disk(held: &Held<'_>, node: &NodeUuid, template: DiskTemplate, largest: Mib) -> Result<(), Refusal> {
    let storage = storage_units(held.config(), template);
    let Some(dir) = storage.first().map(|unit| unit.key.clone()) else { return Ok(()) };
    let name = &held.node(node)?.name;
    let info = held.ask(node)?.node_info(NodeInfoRequest { hypervisors: Vec::new(), storage }).await?;
    let Some(space) = known_space(&info) else {
        let reason = info.storage.first().map_or("the node said nothing", |space| space.error.as_str());
        return Err(Refusal::environment(format!("Can't compute free disk space on node {name} for {dir}: {reason}")));
    };
    if largest.0 > space.free_mib {
        return Err(Refusal::no_resources(format!(
            "Not enough disk space on target node {name} in {dir}: required {largest}, available {}",
            Mib(space.free_mib)
        )));
    }
    Ok(())
}

/// Refuses when disks of `template` may not lie in the cluster's directory on the node (its own list of allowed directories
/// says so, `/etc/ganeti/file-storage-paths`). A directory that is allowed but not there yet is made with the first disk.
///
/// # Errors
/// It is not allowed, or the node does not answer.
pub async fn storage_allowed(held: &Held<'_>, node: &NodeUuid, template: DiskTemplate) -> Result<(), Refusal> {
    let Some(dir) = storage_dir(held.config(), template).filter(|dir| !dir.is_empty()) else { return Ok(()) };
    let name = &held.node(node)?.name;
    let request = VerifyRequest { file_storage_dirs: vec![dir.to_owned()], ..VerifyRequest::default() };
    let problems = held.ask(node)?.verify(request).await?.file_storage_problems;
    match problems.get(dir).filter(|problem| !problem.contains("not existing")) {
        Some(problem) => Err(Refusal::environment(format!("Disks cannot be made in {dir} on node {name}: {problem}"))),
        None => Ok(()),
    }
}

/// Refuses when a bridge that the instance's NICs need is missing on the node (Ganeti: CheckInstanceBridgesExist). The fake
/// hypervisor ties nothing to bridges, so they are not looked for.
///
/// # Errors
/// Bridges are missing, or the node does not answer.
pub async fn bridges(held: &Held<'_>, instance: &Instance, node: &NodeUuid) -> Result<(), Refusal> {
    if instance.hypervisor == "fake" {
        return Ok(());
    }
    let config = held.config();
    let group = spec::group_of(config, node);
    let wanted: BTreeSet<String> = instance
        .nics
        .iter()
        .map(|nic| spec::nic(config, group, nic))
        .filter(|params| params.mode() == Some(NicMode::Bridged))
        .map(|params| params.link().to_owned())
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let name = &held.node(node)?.name;
    let request = VerifyRequest { bridges: wanted.into_iter().collect(), ..VerifyRequest::default() };
    let missing = held.ask(node)?.verify(request).await?.missing_bridges;
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal::environment(format!("Error checking bridges on destination node '{name}': Missing bridges {}", missing.join(", "))))
}

/// What the node's hypervisor says of the instance; `None` when it is not there.
///
/// # Errors
/// The node does not answer, or its hypervisor cannot be asked.
pub async fn oper_info(held: &Held<'_>, instance: &Instance, node: &NodeUuid) -> Result<Option<InstanceInfo>, Refusal> {
    let name = &held.node(node)?.name;
    let request = InstanceListRequest { hypervisors: vec![instance.hypervisor.clone()] };
    let reply = held
        .ask(node)?
        .instance_list(request)
        .await
        .map_err(|error| Refusal::environment(format!("Can't contact node {name} for instance information: {error}")))?;
    if let Some(error) = reply.errors.get(&instance.hypervisor) {
        return Err(Refusal::environment(format!("Error checking node {name}: {error}")));
    }
    Ok(reply.instances.into_iter().find(|found| found.name == instance.name.as_str()))
}

/// Whether such an answer means that the guest uses the node: it runs, is paused, or is on its way down.
#[must_use]
pub fn is_running(info: Option<&InstanceInfo>) -> bool {
    info.is_some_and(|info| {
        matches!(info.state(), InstanceState::Running | InstanceState::Paused | InstanceState::ShuttingDown | InstanceState::Incoming)
    })
}

/// Refuses unless the instance is recorded in one of `states`; when `up` is not among them, it must not run either
/// (Ganeti: CheckInstanceState). `wanted` completes the sentence, e.g. `can't reinstall`.
///
/// # Errors
/// It is recorded otherwise, it runs, or its node does not answer.
pub async fn instance_state(
    held: &Held<'_>,
    instance: &Instance,
    states: &[gannet_core::config::AdminState],
    wanted: Option<&str>,
) -> Result<(), Refusal> {
    let words: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    let wanted = wanted.map_or_else(|| format!("can't use instance from outside {} states", words.join(", ")), str::to_owned);
    recorded_state(instance, states, &wanted)?;
    if states.contains(&gannet_core::config::AdminState::Up) {
        return Ok(());
    }
    if held.node(&instance.primary_node)?.offline {
        held.log().warn("Primary node offline, ignoring check that instance is down");
        return Ok(());
    }
    if is_running(oper_info(held, instance, &instance.primary_node).await?.as_ref()) {
        return Err(Refusal::state(format!("Instance {} is running, {wanted}", instance.name)));
    }
    Ok(())
}

fn recorded_state(instance: &Instance, states: &[gannet_core::config::AdminState], wanted: &str) -> Result<(), Refusal> {
    if states.contains(&instance.admin_state) {
        return Ok(());
    }
    Err(Refusal::state(format!("Instance '{}' is marked to be {}, {wanted}", instance.name, instance.admin_state.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn nodes_are_refused_in_ganetis_words() {
        let config = sample::config();
        let good = config.find_node("node1").unwrap();
        assert!(usable(good).is_ok());
        let refused = |change: fn(&mut Node)| {
            let mut node = (**good).clone();
            change(&mut node);
            usable(&node).unwrap_err().message
        };
        assert_eq!(refused(|node| node.offline = true), "Can't use offline node: node1.example.com");
        assert_eq!(refused(|node| node.drained = true), "Can't use drained node node1.example.com");
        assert_eq!(refused(|node| node.vm_capable = false), "Can't use non-vm_capable node node1.example.com");
    }

    #[test]
    fn space_is_that_of_the_innermost_directory_that_is_there() {
        let keys: Vec<String> = storage_units(&sample::config(), DiskTemplate::File).into_iter().map(|unit| unit.key).collect();
        assert_eq!(keys, ["/srv/ganeti/file-storage", "/srv/ganeti", "/srv", "/"]);
        assert!(storage_units(&sample::config(), DiskTemplate::Diskless).is_empty());
        let space = |free_mib, error: &str| StorageSpace { free_mib, error: error.to_owned(), ..StorageSpace::default() };
        let info = NodeInfoReply { storage: vec![space(0, "not there"), space(7, ""), space(9, "")], ..NodeInfoReply::default() };
        assert_eq!(known_space(&info).map(|space| space.free_mib), Some(7));
    }

    #[test]
    fn a_recorded_state_is_named() {
        let config = sample::config();
        let instance = config.find_instance("web1").unwrap();
        let refused = recorded_state(instance, &[gannet_core::config::AdminState::Down], "can't reinstall").unwrap_err();
        assert_eq!(refused.message, "Instance 'web1.example.com' is marked to be up, can't reinstall");
    }
}
