//! Opcodes about node groups.

mod add;
mod assign_nodes;
mod remove;
mod rename;
mod set_params;
mod verify_disks;

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::config::Config;
use gannet_core::id::NodeUuid;

use crate::held::Held;
use crate::refusal::Refusal;
use crate::reserve::Resource;
use crate::unit::Hooks;

/// Hooks about a group, on these nodes in both phases.
fn hooks(path: &str, nodes: BTreeSet<NodeUuid>, env: impl IntoIterator<Item = (&'static str, String)>) -> Hooks {
    Hooks {
        path: path.to_owned(),
        object_type: "GROUP".to_owned(),
        pre_nodes: nodes.clone(),
        post_nodes: nodes,
        env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        post_env: BTreeMap::new(),
    }
}

/// Refuses a name that another group has, or will have when the job that makes it ends.
fn check_new_name(held: &Held<'_>, name: &str) -> Result<(), Refusal> {
    name_is_free(held.config(), name)?;
    if held.reserve(Resource::GroupName(name.to_owned())) {
        return Ok(());
    }
    Err(Refusal::exists(format!("Desired group name '{name}' was taken by another job just now")))
}

fn name_is_free(config: &Config, name: &str) -> Result<(), Refusal> {
    if gannet_core::id::is_uuid(name) {
        return Err(Refusal::invalid(format!("'{name}' has the form of a UUID: a node group needs a name")));
    }
    match config.groups().find(|group| group.name == name) {
        Some(group) => Err(Refusal::exists(format!("Desired group name '{name}' already exists as a node group (UUID: {})", group.uuid))),
        None => Ok(()),
    }
}

/// Ganeti has the words in two places: in requests and in the configuration.
fn alloc_policy(policy: gannet_core::param::AllocPolicy) -> gannet_core::config::AllocPolicy {
    use gannet_core::param::AllocPolicy as Asked;
    match policy {
        Asked::Preferred => gannet_core::config::AllocPolicy::Preferred,
        Asked::LastResort => gannet_core::config::AllocPolicy::LastResort,
        Asked::Unallocable => gannet_core::config::AllocPolicy::Unallocable,
    }
}

/// Static capacities are not built.
fn check_states(hv_state: bool, disk_state: bool) -> Result<(), Refusal> {
    if hv_state || disk_state {
        return Err(Refusal::invalid("Static capacities (hv_state, disk_state) are not available in this version of Gannet yet"));
    }
    Ok(())
}
