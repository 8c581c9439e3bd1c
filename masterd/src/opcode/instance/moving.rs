//! What migration and failover have in common: locks, the target node, and the checks on it (Ganeti: TLMigrateInstance).

use std::sync::Arc;

use gannet_core::config::{Config, Instance, Node};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::param::DiskTemplate;
use gannet_core::param::ipolicy;

use crate::held::Held;
use crate::refusal::Refusal;
use crate::rule::{node_check, place, spec};

/// The locks: the instance, and the nodes it may come to.
pub(super) fn locks(config: &Config, name: &str, target: Option<&str>) -> Result<LockSet, Refusal> {
    let instance = config.find_instance(name)?;
    let set = LockSet::shared_cluster().exclusive(Lock::Instance(instance.name.clone()));
    let template = template(config, instance)?;
    if template.is_ext_mirrored() && target.is_none() {
        return Ok(set.exclusive(Lock::AllNodes).exclusive(Lock::AllNodeRes));
    }
    let mut nodes: Vec<NodeUuid> = vec![instance.primary_node.clone()];
    match target {
        Some(target) => nodes.push(config.find_node(target)?.uuid.clone()),
        None => nodes.extend(config.secondary_nodes(instance).cloned()),
    }
    Ok(nodes.into_iter().fold(set, |set, node| set.exclusive(Lock::Node(node.clone())).exclusive(Lock::NodeRes(node))))
}

/// The template of the instance's disks.
pub(super) fn template(config: &Config, instance: &Instance) -> Result<DiskTemplate, Refusal> {
    let name = config.disk_template(instance);
    name.parse()
        .map_err(|_| Refusal::state(format!("Instance {} has disks of the kind '{name}', which cannot be moved as a whole", instance.name)))
}

/// What the operator asked for.
pub(super) struct Wish<'a> {
    /// `migrations` or `failover`, for Ganeti's sentences.
    pub(super) what: &'static str,
    /// The node that was named.
    pub(super) target: Option<&'a str>,
    /// The iallocator that was named.
    pub(super) iallocator: Option<&'a str>,
    /// Accept a violation of the policy of the target's group.
    pub(super) ignore_ipolicy: bool,
}

/// Where the instance will go: the named node, its secondary, or what the allocator says.
pub(super) async fn target<'h>(held: &'h Held<'_>, instance: &Instance, wish: &Wish<'_>) -> Result<&'h Arc<Node>, Refusal> {
    let config = held.config();
    let template = template(config, instance)?;
    if !template.is_mirrored() {
        return Err(Refusal::state(format!(
            "Instance's disk layout '{template}' does not allow {}; copy it with `gnt-instance move`",
            wish.what
        )));
    }
    let uuid = if template.is_ext_mirrored() {
        match wish.target {
            Some(name) => config.find_node(name)?.uuid.clone(),
            None => place::relocate(held, instance, wish.iallocator).await?,
        }
    } else {
        let secondary = config.secondary_nodes(instance).next().cloned();
        let secondary = secondary.ok_or_else(|| Refusal::state(format!("Instance {} has no secondary node", instance.name)))?;
        if let Some(name) = wish.target
            && config.find_node(name)?.uuid != secondary
        {
            return Err(Refusal::invalid(format!(
                "Instances with disk template {template} cannot be moved to arbitrary nodes (neither an iallocator nor a target node can be passed)"
            )));
        }
        secondary
    };
    if uuid == instance.primary_node {
        return Err(Refusal::state(format!("Cannot move instance {} to its primary node", instance.name)));
    }
    let node = held.node(&uuid)?;
    node_check::usable(node)?;
    if !wish.ignore_ipolicy {
        policy(held, instance, node)?;
    }
    Ok(node)
}

/// The instance must fit the policy of a group that it comes into.
pub(super) fn policy(held: &Held<'_>, instance: &Instance, target: &Node) -> Result<(), Refusal> {
    let config = held.config();
    let same_group = config.node(&instance.primary_node).is_some_and(|node| node.group == target.group);
    let Some(group) = config.group(&target.group).filter(|_| !same_group) else { return Ok(()) };
    let disks: Vec<_> = config.disks_of(instance).map(|disk| (**disk).clone()).collect();
    let found = ipolicy::violations(&spec::ipolicy(config, group), &spec::policy_spec(config, instance, &disks));
    if found.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!("Instance does not meet target node group's ({}) instance policy: {}", group.name, found.join(", "))))
}

/// Extra variables of the hooks of both operations.
pub(super) fn old_and_new(config: &Config, instance: &Instance, target: &Node) -> Vec<(&'static str, String)> {
    let primary = spec::node_name(config, &instance.primary_node);
    let mirrored = template(config, instance).is_ok_and(DiskTemplate::is_int_mirrored);
    let secondary = |name: &str| if mirrored { name.to_owned() } else { String::new() };
    vec![
        ("OLD_PRIMARY", primary.clone()),
        ("NEW_PRIMARY", target.name.to_string()),
        ("OLD_SECONDARY", secondary(target.name.as_str())),
        ("NEW_SECONDARY", secondary(&primary)),
    ]
}
