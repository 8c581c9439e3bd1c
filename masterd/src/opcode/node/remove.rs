//! `OP_NODE_REMOVE`: takes a node out of the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gannet_core::config::{Config, Disk, Node, Object, ObjectKind};
use gannet_core::id::{DiskUuid, NodeUuid};
use gannet_core::lock::LockSet;
use gannet_core::opcode::NodeRemove;
use gannet_proto::node::LeaveClusterRequest;
use serde::{Deserialize, Serialize};

use crate::effect;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::role;
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What leaves, and who stays.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    node: NodeUuid,
    name: String,
    offline: bool,
    modify_ssh_setup: bool,
    others: BTreeSet<NodeUuid>,
    promoted: Vec<String>,
    /// Detached disks that were on the node, which is offline: they go with it.
    #[serde(default)]
    forgotten: Vec<DiskUuid>,
    changes: Changes,
}

impl LogicalUnit for NodeRemove {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::exclusive_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let node = held.find_node(&self.node_name)?;
        removable(held.config(), node)?;
        let promoted = role::promotions(held.config(), &[&node.uuid]);
        let changes = promoted.iter().fold(Changes::none(), |changes, node| changes.update(held.state(), &Object::Node(node.clone())));
        let mut cluster = gannet_core::config::Cluster::clone(held.config().cluster());
        let changes = match cluster.candidate_certs.remove(&node.uuid) {
            Some(_) => changes.update(held.state(), &Object::Cluster(Arc::new(cluster))),
            None => changes,
        };
        let forgotten: Vec<DiskUuid> = detached(held.config(), &node.uuid).map(|disk| disk.uuid.clone()).collect();
        let changes = forgotten.iter().fold(changes, |changes, disk| changes.remove(held.state(), ObjectKind::Disk, disk.as_str()));
        Ok(Plan {
            node: node.uuid.clone(),
            name: node.name.to_string(),
            offline: node.offline,
            modify_ssh_setup: held.config().cluster().modify_ssh_setup,
            others: held.config().nodes().map(|node| node.uuid.clone()).filter(|uuid| *uuid != node.uuid).collect(),
            promoted: promoted.iter().map(|node| node.name.to_string()).collect(),
            forgotten,
            changes: changes.remove(held.state(), ObjectKind::Node, node.uuid.as_str()),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        let env = [("OP_TARGET", plan.name.clone()), ("NODE_NAME", plan.name.clone())];
        Some(Hooks {
            path: "node-remove".to_owned(),
            object_type: "NODE".to_owned(),
            pre_nodes: plan.others.clone(),
            post_nodes: plan.others.clone(),
            env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            post_env: BTreeMap::new(),
        })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        if plan.offline {
            job.log().warn(format!("Node {} is offline: its certificates and secrets stay on it; remove them by hand", plan.name));
        } else {
            job.try_step(&plan.node, effect::LeaveCluster(LeaveClusterRequest { modify_ssh_setup: plan.modify_ssh_setup })).await?;
        }
        if !plan.promoted.is_empty() {
            job.log().info(format!("Promoted nodes to master candidate role: {}", plan.promoted.join(", ")));
        }
        for disk in &plan.forgotten {
            job.log().warn(format!("The detached disk {disk} was on {} and leaves the configuration with it", plan.name));
        }
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

fn removable(config: &Config, node: &Node) -> Result<(), Refusal> {
    if node.uuid == config.cluster().master_node {
        return Err(Refusal::invalid("Node is the master node, failover to another node is required"));
    }
    let user = config.primary_instances(&node.uuid).next().or_else(|| config.secondary_instances(&node.uuid).next());
    if let Some(instance) = user {
        return Err(Refusal::invalid(format!("Instance {} is still running on the node, please remove first", instance.name)));
    }
    let left: Vec<&str> = detached(config, &node.uuid).map(|disk| disk.uuid.as_str()).collect();
    // A dead node's disks can be neither attached nor removed: a refusal would keep the node for ever.
    if left.is_empty() || node.offline {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "Detached disks are still on the node: {}. Attach each to an instance of the node with \
         'gnt-instance modify --disk attach:uuid=UUID INSTANCE', then move or remove the instance",
        left.join(", ")
    )))
}

/// Disks without an instance whose only copy is on the node.
fn detached<'a>(config: &'a Config, node: &'a NodeUuid) -> impl Iterator<Item = &'a Arc<Disk>> {
    config.disks().filter(move |disk| disk.nodes.as_slice() == [node.clone()] && config.owner_of_disk(&disk.uuid).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn master_and_used_nodes_stay() {
        let config = sample::config();
        assert!(removable(&config, &sample::node(1)).is_err());
        assert!(removable(&config, &sample::node(2)).is_ok());
        let moved = crate::rule::role::with_node(&config, &Node { name: "other.example.com".parse().expect("a name"), ..sample::node(3) });
        assert!(removable(&moved, &sample::node(3)).is_ok());
    }

    #[test]
    fn a_detached_disk_keeps_its_node_unless_that_is_offline() {
        let mut config = sample::config();
        let disk = Disk { nodes: vec![sample::node(3).uuid], ..sample::disk(2, 3) };
        let uuid = disk.uuid.clone();
        config.put(Object::Disk(Arc::new(disk)));
        assert!(removable(&config, &sample::node(2)).is_ok());
        let refusal = removable(&config, &sample::node(3)).expect_err("a disk is on it");
        assert!(refusal.message.contains(uuid.as_str()) && refusal.message.contains("attach:uuid="), "{}", refusal.message);
        assert!(removable(&config, &Node { offline: true, ..sample::node(3) }).is_ok());
        assert_eq!(detached(&config, &sample::node(3).uuid).count(), 1);
        // The disk of an instance is none.
        assert_eq!(detached(&config, &sample::node(1).uuid).count(), 0);
    }
}
