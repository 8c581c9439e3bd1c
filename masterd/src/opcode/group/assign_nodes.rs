//! `OP_GROUP_ASSIGN_NODES`: moves nodes to another group. Instances that are mirrored between groups afterwards are refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use gannet_core::config::{Config, Node, Object};
use gannet_core::id::{GroupUuid, NodeUuid};
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::GroupAssignNodes;
use gannet_core::param::DiskTemplate;
use serde::{Deserialize, Serialize};

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::role::with_node;
use crate::store::Changes;
use crate::unit::{AfterCrash, LogicalUnit};

/// What changes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    changes: Changes,
}

impl LogicalUnit for GroupAssignNodes {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let group = config.find_group(&self.group_name)?;
        let nodes = nodes(config, &self.nodes)?;
        let groups: BTreeSet<GroupUuid> = nodes.iter().map(|node| node.group.clone()).chain([group.uuid.clone()]).collect();
        Ok(LockSet::shared_cluster()
            .all(groups.into_iter().map(Lock::Group), Mode::Exclusive)
            .all(nodes.iter().map(|node| Lock::Node(node.uuid.clone())), Mode::Exclusive))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let group = config.find_group(&self.group_name)?;
        let moved: Vec<Node> = nodes(config, &self.nodes)?
            .into_iter()
            .filter(|node| node.group != group.uuid)
            .map(|node| Node { group: group.uuid.clone(), ..Node::clone(&node) })
            .collect();
        let after = moved.iter().fold(config.clone(), |config, node| with_node(&config, node));
        let (before, afterwards) = (split_instances(config), split_instances(&after));
        let new: Vec<&str> = afterwards.difference(&before).map(String::as_str).collect();
        if !new.is_empty() {
            let text = format!("The following instances get split by this change: {}", new.join(", "));
            if !self.force {
                return Err(Refusal::invalid(format!("{text} (--force was not given)")));
            }
            held.log().warn(text);
        }
        let still: Vec<&str> = afterwards.intersection(&before).map(String::as_str).collect();
        if !still.is_empty() {
            held.log().warn(format!("In addition, these already-split instances continue to be split across groups: {}", still.join(", ")));
        }
        let changes = moved.into_iter().fold(Changes::none(), |changes, node| changes.update(held.state(), &Object::Node(Arc::new(node))));
        Ok(Plan { changes })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

/// Each node once.
fn nodes(config: &Config, names: &[String]) -> Result<Vec<Arc<Node>>, Refusal> {
    let mut seen: BTreeSet<NodeUuid> = BTreeSet::new();
    let found = names.iter().map(|name| Ok(config.find_node(name)?.clone())).collect::<Result<Vec<_>, Refusal>>()?;
    Ok(found.into_iter().filter(|node| seen.insert(node.uuid.clone())).collect())
}

/// Internally mirrored instances whose nodes are in several groups.
fn split_instances(config: &Config) -> BTreeSet<String> {
    let group = |node: &NodeUuid| config.node(node).map(|node| node.group.clone());
    let is_split = |instance: &&Arc<gannet_core::config::Instance>| {
        let mirrored = config.disk_template(instance).parse::<DiskTemplate>().is_ok_and(DiskTemplate::is_int_mirrored);
        mirrored && config.secondary_nodes(instance).any(|node| group(node) != group(&instance.primary_node))
    };
    config.instances().filter(is_split).map(|instance| instance.name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use gannet_core::config::Disk;

    use super::*;
    use crate::rule::sample;

    #[test]
    fn mirrored_instances_are_split_by_moving_one_of_their_nodes() {
        let mut config = sample::config();
        let both = vec![sample::node(1).uuid, sample::node(2).uuid];
        let drbd: Disk = Disk {
            dev_type: "drbd".to_owned(),
            logical_id: gannet_core::config::LogicalId::Drbd {
                node_a: both[0].clone(),
                node_b: both[1].clone(),
                port: 11001,
                minor_a: 0,
                minor_b: 0,
                secret: String::new(),
            },
            nodes: both,
            ..sample::disk(1, 1)
        };
        config.put(Object::Disk(Arc::new(drbd)));
        assert!(split_instances(&config).is_empty());
        let moved = with_node(&config, &Node { group: GroupUuid::random(), ..sample::node(2) });
        assert_eq!(split_instances(&moved), BTreeSet::from(["web1.example.com".to_owned()]));
        let other = with_node(&config, &Node { group: GroupUuid::random(), ..sample::node(3) });
        assert!(split_instances(&other).is_empty());
    }
}
