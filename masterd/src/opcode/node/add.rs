//! `OP_NODE_ADD`: puts a machine that has joined into the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use gannet_core::config::{Config, Node, NodeGroup, Object, Stamps};
use gannet_core::error::ErrorCode;
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::name::{InvalidName, NodeName};
use gannet_core::opcode::NodeAdd;
use gannet_proto::node::{FileStorageDir, HelloReply, HelloRequest};
use serde::{Deserialize, Serialize};

use super::{check_homing, check_unique_addresses, secondary_ip};
use crate::effect;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::resolve;
use crate::rule::{role, settings};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// The node as it will be.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    changes: Changes,
    node: NodeUuid,
    others: BTreeSet<NodeUuid>,
    env: BTreeMap<String, String>,
    storage_dirs: Vec<String>,
}

impl LogicalUnit for NodeAdd {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::exclusive_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        if self.hv_state.is_some() || self.disk_state.is_some() {
            return Err(Refusal::invalid(
                "Static capacities of nodes (hv_state, disk_state) are not available in this version of Gannet yet",
            ));
        }
        if self.node_setup {
            return Err(Refusal::invalid(
                "Nodes are not set up over SSH: run `gnt-node add`, which gives a token, then `gannet-noded join TOKEN` on the node",
            ));
        }
        let node = self.node(held)?;
        check_unique_addresses(held.config(), &node)?;
        check_homing(held.config(), &node.primary_ip, &node.secondary_ip)?;
        self.check_agent(held, &node).await?;
        let env = env(&node);
        let others = held.config().nodes().map(|node| node.uuid.clone()).filter(|uuid| *uuid != node.uuid).collect();
        let uuid = node.uuid.clone();
        if node.master_candidate {
            held.log().info("Node will be a master candidate");
        } else {
            held.log().info("Node will be a regular node");
        }
        let units = super::storage_units(held.config());
        let storage_dirs = if node.vm_capable { units.into_iter().map(|unit| unit.key).collect() } else { Vec::new() };
        let changes = Changes::none().update(held.state(), &Object::Node(Arc::new(node)));
        Ok(Plan { changes, node: uuid, others, env, storage_dirs })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(Hooks {
            path: "node-add".to_owned(),
            object_type: "NODE".to_owned(),
            pre_nodes: plan.others.clone(),
            post_nodes: plan.others.iter().chain([&plan.node]).cloned().collect(),
            env: plan.env.clone(),
            post_env: BTreeMap::new(),
        })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        // Not at the end only: the hooks of the new node run after this.
        job.commit(plan.changes.clone()).await?;
        for path in &plan.storage_dirs {
            // Without it the node has no room for such disks, which the verification tells; it is a node all the same.
            job.try_step(&plan.node, effect::FileDirCreate(FileStorageDir { path: path.clone() })).await?;
        }
        Ok(())
    }
}

/// Names and parameters, without asking the machine.
trait Described {
    fn node(&self, held: &Held<'_>) -> Result<Node, Refusal>;
    async fn check_agent(&self, held: &Held<'_>, node: &Node) -> Result<(), Refusal>;
}

impl Described for NodeAdd {
    fn node(&self, held: &Held<'_>) -> Result<Node, Refusal> {
        let config = held.config();
        let paths = held.context().master.paths();
        let name: NodeName =
            resolve::full_name(paths, &self.node_name).parse().map_err(|error: InvalidName| Refusal::invalid(error.to_string()))?;
        let old = config.nodes().find(|node| node.name == name).cloned();
        match (&old, self.readd) {
            (Some(_), false) => return Err(Refusal::exists(format!("Node {name} is already in the configuration"))),
            (None, true) => return Err(Refusal::no_entity(format!("Node {name} is not in the configuration"))),
            (Some(old), true) if old.uuid == config.cluster().master_node => return Err(Refusal::invalid("Cannot readd the master node")),
            _ => {}
        }
        let primary = primary_ip(self, held, &name)?;
        let secondary = match (&self.secondary_ip, &old) {
            (Some(text), _) => secondary_ip(text)?.to_string(),
            (None, Some(old)) => old.secondary_ip.clone(),
            (None, None) if primary.is_ipv6() => {
                return Err(Refusal::invalid("When using a IPv6 primary address, a valid IPv4 address must be given as secondary"));
            }
            (None, None) => primary.to_string(),
        };
        let group = group(config, self.group.as_deref(), old.as_deref())?;
        let own = old.as_ref().map(|old| old.ndparams.clone()).unwrap_or_default();
        let ndparams = match &self.ndparams {
            Some(request) => settings::own_ndparams(&own, request, true)?,
            None => own,
        };
        let master_capable = self.master_capable.or(old.as_ref().map(|old| old.master_capable)).unwrap_or(true);
        let except: Vec<&NodeUuid> = old.iter().map(|old| &old.uuid).collect();
        Ok(Node {
            primary_ip: primary.to_string(),
            secondary_ip: secondary,
            master_candidate: master_capable && role::promotes_itself(config, &except),
            offline: false,
            drained: false,
            group: group.uuid.clone(),
            master_capable,
            vm_capable: self.vm_capable.or(old.as_ref().map(|old| old.vm_capable)).unwrap_or(true),
            ndparams,
            powered: true,
            hv_state_static: BTreeMap::new(),
            disk_state_static: BTreeMap::new(),
            stamps: old.as_ref().map_or_else(|| Stamps::new(held.now()), |old| old.stamps.clone()),
            uuid: old.as_ref().map_or_else(NodeUuid::random, |old| old.uuid.clone()),
            tags: old.map(|old| old.tags.clone()).unwrap_or_default(),
            name,
        })
    }

    async fn check_agent(&self, held: &Held<'_>, node: &Node) -> Result<(), Refusal> {
        // It is in no configuration yet: asked by its address.
        let handle = held.context().master.nodes().handle_even_offline(node)?;
        let reply = handle.hello(HelloRequest {}).await.map_err(|error| {
            Refusal::environment(format!(
                "{error}; a machine joins with `gannet-noded join TOKEN`, the token comes from `gnt-node add {}`",
                node.name
            ))
        })?;
        check_hello(node, &reply)
    }
}

fn check_hello(node: &Node, reply: &HelloReply) -> Result<(), Refusal> {
    let own = env!("CARGO_PKG_VERSION");
    let minor = |version: &str| version.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    if minor(&reply.version) != minor(own) {
        return Err(Refusal::environment(format!("Version mismatch master version {own}, node version {}", reply.version)));
    }
    if reply.node_name != node.name.as_str() {
        return Err(Refusal::environment(format!(
            "The agent at {} is that of node {}, not of {}",
            node.primary_ip, reply.node_name, node.name
        )));
    }
    Ok(())
}

fn primary_ip(unit: &NodeAdd, held: &Held<'_>, name: &NodeName) -> Result<IpAddr, Refusal> {
    let ipv6 = held.config().cluster().primary_ip_family == 10;
    let wanted = unit.primary_ip.as_deref().unwrap_or(name.as_str());
    resolve::resolve(held.context().master.paths(), wanted, ipv6).ok_or_else(|| {
        Refusal::new(
            ErrorCode::Resolver,
            format!("The name of the node, {wanted}, does not resolve; add it to DNS or /etc/hosts on the master"),
        )
    })
}

fn group(config: &Config, name: Option<&str>, old: Option<&Node>) -> Result<Arc<NodeGroup>, Refusal> {
    if let Some(name) = name {
        if old.is_some() {
            return Err(Refusal::invalid("Cannot pass a node group when a node is being readded"));
        }
        return Ok(config.find_group(name)?.clone());
    }
    if let Some(group) = old.and_then(|old| config.group(&old.group)) {
        return Ok(group.clone());
    }
    let mut groups = config.groups();
    match (groups.next(), groups.next()) {
        (Some(only), None) => Ok(only.clone()),
        _ => Err(Refusal::invalid("More than one node group exists, target group must be specified explicitly.")),
    }
}

fn env(node: &Node) -> BTreeMap<String, String> {
    let env = [
        ("OP_TARGET", node.name.to_string()),
        ("NODE_NAME", node.name.to_string()),
        ("NODE_PIP", node.primary_ip.clone()),
        ("NODE_SIP", node.secondary_ip.clone()),
        ("MASTER_CAPABLE", role::truth(node.master_capable)),
        ("VM_CAPABLE", role::truth(node.vm_capable)),
    ];
    env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn an_agent_must_be_the_nodes_own() {
        let node = sample::node(2);
        let reply =
            |version: &str, name: &str| HelloReply { version: version.to_owned(), node_name: name.to_owned(), ..HelloReply::default() };
        assert!(check_hello(&node, &reply(env!("CARGO_PKG_VERSION"), "node2.example.com")).is_ok());
        assert!(check_hello(&node, &reply(env!("CARGO_PKG_VERSION"), "node3.example.com")).is_err());
        assert!(check_hello(&node, &reply("99.1.0", "node2.example.com")).is_err());
    }

    #[test]
    fn the_only_group_is_the_default() {
        let config = sample::config();
        assert_eq!(group(&config, None, None).expect("one group").name, "default");
        assert!(group(&config, Some("other"), None).is_err());
        assert!(group(&config, Some("default"), Some(&sample::node(1))).is_err());
    }
}
