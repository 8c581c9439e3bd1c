//! `OP_NODE_SET_PARAMS`: role and settings of a node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gannet_core::config::{Config, Node, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::NodeSetParams;
use gannet_core::param::fill;
use gannet_proto::node::HelloRequest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{check_homing, check_unique_addresses, secondary_ip};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{role, settings};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What changes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    changes: Changes,
    result: Vec<(String, Value)>,
    nodes: BTreeSet<NodeUuid>,
    env: BTreeMap<String, String>,
    promoted: Vec<String>,
}

impl LogicalUnit for NodeSetParams {
    type Plan = Plan;
    type Output = Vec<(String, Value)>;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let node = config.find_node(&self.node_name)?;
        let set = LockSet::shared_cluster();
        Ok(if self.auto_promote && might_demote(self) {
            set.exclusive(Lock::AllNodes).exclusive(Lock::AllNodeRes)
        } else {
            set.exclusive(Lock::Node(node.uuid.clone())).exclusive(Lock::NodeRes(node.uuid.clone()))
        })
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        check_arguments(self)?;
        let config = held.config();
        let old = held.find_node(&self.node_name)?;
        let decided = decide(self, config, old)?;
        decided.notes.iter().for_each(|note| held.log().info(note.clone()));
        if old.offline && !decided.node.offline {
            let handle = held.context().master.nodes().handle_even_offline(old)?;
            handle.hello(HelloRequest {}).await.map_err(|error| {
                Refusal::state(format!("Node {} is being de-offlined but fails to report its version: {error}", old.name))
            })?;
            held.log().warn(format!("Transitioning node {} from offline to online; check that no instance runs twice", old.name));
        }
        if let Some(secondary) = &self.secondary_ip {
            secondary_ip(secondary)?;
            check_unique_addresses(config, &decided.node)?;
            if !self.force && old.uuid != config.cluster().master_node {
                check_homing(config, &decided.node.primary_ip, secondary)?;
            }
            if config.secondary_instances(&old.uuid).next().is_some() {
                return Err(Refusal::state(format!("Cannot change the secondary ip of node {}: instances are mirrored to it", old.name)));
            }
        }
        let after = role::with_node(config, &decided.node);
        let promoted = if self.auto_promote && might_demote(self) { role::promotions(&after, &[&old.uuid]) } else { Vec::new() };
        let changes = Changes::none().update(held.state(), &Object::Node(Arc::new(decided.node.clone())));
        let changes = promoted.iter().fold(changes, |changes, node| changes.update(held.state(), &Object::Node(node.clone())));
        Ok(Plan {
            changes,
            result: decided.result,
            // Nobody answers on a node that is being marked offline, most likely.
            nodes: [&config.cluster().master_node].into_iter().chain((!decided.node.offline).then_some(&old.uuid)).cloned().collect(),
            env: env(self, old),
            promoted: promoted.iter().map(|node| node.name.to_string()).collect(),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(Hooks {
            path: "node-modify".to_owned(),
            object_type: "NODE".to_owned(),
            pre_nodes: plan.nodes.clone(),
            post_nodes: plan.nodes.clone(),
            env: plan.env.clone(),
            post_env: BTreeMap::new(),
        })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Self::Output, Failure> {
        if !plan.promoted.is_empty() {
            job.log().info(format!("Promoted nodes to master candidate role: {}", plan.promoted.join(", ")));
        }
        job.finish_with(plan.changes.clone());
        Ok(plan.result.clone())
    }
}

/// Whether a master candidate may be lost by it.
fn might_demote(unit: &NodeSetParams) -> bool {
    unit.master_candidate == Some(false) || unit.offline == Some(true) || unit.drained == Some(true) || unit.master_capable == Some(false)
}

fn check_arguments(unit: &NodeSetParams) -> Result<(), Refusal> {
    if unit.hv_state.is_some() || unit.disk_state.is_some() {
        return Err(Refusal::invalid("Static capacities of nodes (hv_state, disk_state) are not available in this version of Gannet yet"));
    }
    let flags = [unit.offline, unit.master_candidate, unit.drained, unit.master_capable, unit.vm_capable, unit.powered];
    if flags.iter().all(Option::is_none) && unit.secondary_ip.is_none() && unit.ndparams.is_none() {
        return Err(Refusal::invalid("Please pass at least one modification"));
    }
    if [unit.offline, unit.master_candidate, unit.drained].iter().filter(|flag| **flag == Some(true)).count() > 1 {
        return Err(Refusal::invalid("Can't set the node into more than one state at the same time"));
    }
    Ok(())
}

/// The node as it will be, what the job answers, and what it says.
#[derive(Debug)]
struct Decided {
    node: Node,
    result: Vec<(String, Value)>,
    notes: Vec<String>,
}

/// The rules of roles (Ganeti: LUNodeSetParams). Pure.
fn decide(unit: &NodeSetParams, config: &Config, old: &Node) -> Result<Decided, Refusal> {
    let mut notes = Vec::new();
    let is_master = old.uuid == config.cluster().master_node;
    if is_master && [unit.master_candidate, unit.drained, unit.offline].iter().any(Option::is_some) {
        return Err(Refusal::invalid("The master role can be changed only via master-failover"));
    }
    if is_master && unit.master_capable == Some(false) {
        return Err(Refusal::state(format!("Node {} is the master: it has to be master capable", old.name)));
    }
    if unit.vm_capable == Some(false) {
        check_without_instances(config, old)?;
    }
    let master_capable = unit.master_capable.unwrap_or(old.master_capable);
    if unit.master_candidate == Some(true) && !master_capable {
        return Err(Refusal::state(format!("Node {} is not master capable, cannot make it a master candidate", old.name)));
    }
    if old.master_candidate && might_demote(unit) && !unit.auto_promote {
        let left = role::pool(config, &[&old.uuid]);
        if left.now < left.should {
            return Err(Refusal::state(
                "Not enough master candidates, please pass auto promote option to allow promotion (--auto-promote or RAPI auto_promote=True)",
            ));
        }
    }
    let mut node = old.clone();
    let mut result = Vec::new();
    set_ndparams(unit, config, &mut node)?;
    set_powered(unit, config, old, &mut node)?;
    for (name, new, flag) in
        [("master_capable", unit.master_capable, &mut node.master_capable), ("vm_capable", unit.vm_capable, &mut node.vm_capable)]
    {
        if let Some(new) = new {
            *flag = new;
            result.push((name.to_owned(), json!(role::truth(new))));
        }
    }
    let flags = new_flags(unit, config, old, &mut notes);
    let names = ["master_candidate", "drained", "offline"];
    for ((name, old), new) in names.iter().zip([old.master_candidate, old.drained, old.offline]).zip(flags) {
        if old != new {
            result.push(((*name).to_owned(), json!(role::truth(new))));
        }
    }
    [node.master_candidate, node.drained, node.offline] = flags;
    if let Some(secondary) = &unit.secondary_ip {
        node.secondary_ip.clone_from(secondary);
        result.push(("secondary_ip".to_owned(), json!(secondary)));
    }
    Ok(Decided { node, result, notes })
}

/// `[master_candidate, drained, offline]` afterwards; at most one is true.
fn new_flags(unit: &NodeSetParams, config: &Config, old: &Node, notes: &mut Vec<String>) -> [bool; 3] {
    let current = [old.master_candidate, old.drained, old.offline];
    let names = ["master_candidate", "drained", "offline"];
    let mut wanted = [unit.master_candidate, unit.drained, unit.offline];
    for ((name, current), wanted) in names.iter().zip(current).zip(&mut wanted) {
        if *wanted == Some(false) && !current {
            notes.push(format!("Ignoring request to unset flag {name}, already unset"));
            *wanted = None;
        }
    }
    let becomes_fit = wanted[1] == Some(false) || wanted[2] == Some(false) || (unit.master_capable == Some(true) && !old.master_capable);
    let capable = unit.master_capable.unwrap_or(old.master_capable);
    let gets_a_role = wanted.contains(&Some(true));
    if becomes_fit && capable && !gets_a_role && role::promotes_itself(config, &[&old.uuid]) {
        notes.push("Auto-promoting node to master candidate".to_owned());
        wanted[0] = Some(true);
    }
    if unit.master_capable == Some(false) && old.master_candidate {
        notes.push("Demoting from master candidate".to_owned());
        wanted[0] = Some(false);
    }
    match wanted.iter().position(|flag| *flag == Some(true)) {
        Some(role) => std::array::from_fn(|index| index == role),
        None if wanted.contains(&Some(false)) => [false; 3],
        None => current,
    }
}

fn check_without_instances(config: &Config, node: &Node) -> Result<(), Refusal> {
    let all = config.primary_instances(&node.uuid).chain(config.secondary_instances(&node.uuid));
    let names: Vec<String> = all.map(|instance| instance.name.to_string()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Refusal::state(format!("Node {} hosts instances ({}), cannot unset its vm_capable flag", node.name, names.join(", "))))
}

fn set_ndparams(unit: &NodeSetParams, config: &Config, node: &mut Node) -> Result<(), Refusal> {
    let Some(request) = &unit.ndparams else { return Ok(()) };
    node.ndparams = settings::own_ndparams(&node.ndparams, request, true)?;
    if config.group(&node.group).is_none() {
        return Err(Refusal::state(format!("Node {} is in a node group that does not exist", node.name)));
    }
    Ok(())
}

fn set_powered(unit: &NodeSetParams, config: &Config, old: &Node, node: &mut Node) -> Result<(), Refusal> {
    let none = gannet_core::config::ParamMap::new();
    let group = config.group(&old.group).map_or(&none, |group| &group.ndparams);
    let has_oob = !fill::nd(&config.cluster().ndparams, group, &old.ndparams).oob_program().is_empty();
    if !has_oob {
        return match unit.powered {
            Some(_) => Err(Refusal::state(format!(
                "Unable to change powered state for node {} as it does not support out-of-band handling",
                old.name
            ))),
            None => Ok(()),
        };
    }
    if unit.offline == Some(false) && !(old.powered || unit.powered == Some(true)) {
        return Err(Refusal::state(format!("Node {} needs to be turned on before its offline status can be reset", old.name)));
    }
    node.powered = unit.powered.unwrap_or(old.powered);
    Ok(())
}

fn env(unit: &NodeSetParams, node: &Node) -> BTreeMap<String, String> {
    // As Python writes what may be absent.
    let flag = |flag: Option<bool>| flag.map_or_else(|| "None".to_owned(), role::truth);
    let env = [
        ("OP_TARGET", node.name.to_string()),
        ("MASTER_CANDIDATE", flag(unit.master_candidate)),
        ("OFFLINE", flag(unit.offline)),
        ("DRAINED", flag(unit.drained)),
        ("MASTER_CAPABLE", flag(unit.master_capable)),
        ("VM_CAPABLE", flag(unit.vm_capable)),
    ];
    env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    fn unit(change: impl FnOnce(&mut NodeSetParams)) -> NodeSetParams {
        let mut unit = NodeSetParams::new("node2.example.com");
        change(&mut unit);
        unit
    }

    /// The flags of node 2 afterwards, as its role's letter.
    fn role_of(config: &Config, change: impl FnOnce(&mut NodeSetParams)) -> Result<&'static str, String> {
        let old = config.node(&sample::node(2).uuid).expect("a node of the sample").clone();
        let unit = unit(change);
        check_arguments(&unit).map_err(|refusal| refusal.message)?;
        let decided = decide(&unit, config, &old).map_err(|refusal| refusal.message)?;
        Ok(decided.node.role(&config.cluster().master_node).letter())
    }

    #[test]
    fn roles_follow_ganetis_rules() {
        let config = sample::config();
        assert!(role_of(&config, |unit| unit.offline = Some(true)).is_ok(), "the others are as many as there can be");
        assert_eq!(role_of(&config, |unit| unit.drained = Some(true)), Ok("D"));
        assert!(role_of(&config, |_| {}).is_err_and(|text| text.contains("at least one modification")));
        let both = role_of(&config, |unit| (unit.offline, unit.drained) = (Some(true), Some(true)));
        assert!(both.is_err_and(|text| text.contains("more than one state")));
        let offline = role::with_node(&config, &Node { offline: true, master_candidate: false, ..sample::node(2) });
        assert_eq!(role_of(&offline, |unit| unit.offline = Some(false)), Ok("C"), "promoted to fill the pool");
        assert_eq!(role_of(&offline, |unit| unit.drained = Some(false)), Ok("O"), "already unset");
        assert_eq!(role_of(&offline, |unit| unit.drained = Some(true)), Ok("D"));
        assert_eq!(role_of(&config, |unit| unit.master_capable = Some(false)), Ok("R"));
    }

    #[test]
    fn the_pool_is_not_emptied_unasked() {
        let config = role::with_node(&sample::config(), &Node { master_candidate: false, ..sample::node(3) });
        let refused = role_of(&config, |unit| unit.drained = Some(true));
        assert!(refused.is_err_and(|text| text.contains("Not enough master candidates")));
        let allowed = role_of(&config, |unit| (unit.drained, unit.auto_promote) = (Some(true), true));
        assert_eq!(allowed, Ok("D"));
    }

    #[test]
    fn the_master_keeps_its_role_and_hosts_keep_their_flag() {
        let config = sample::config();
        let mut unit = NodeSetParams::new("node1.example.com");
        unit.drained = Some(true);
        assert!(decide(&unit, &config, &sample::node(1)).is_err());
        let mut unit = NodeSetParams::new("node1.example.com");
        unit.vm_capable = Some(false);
        assert!(decide(&unit, &config, &sample::node(1)).is_err_and(|refusal| refusal.message.contains("hosts instances")));
        let decided = decide(&NodeSetParams { vm_capable: Some(false), ..unit }, &config, &sample::node(3)).expect("no instances");
        assert_eq!(decided.result, [("vm_capable".to_owned(), json!("False"))]);
    }
}
