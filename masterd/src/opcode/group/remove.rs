//! `OP_GROUP_REMOVE`: removes an empty node group.

use std::collections::BTreeSet;

use gannet_core::config::{Config, NodeGroup, ObjectKind};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::GroupRemove;
use serde::{Deserialize, Serialize};

use super::hooks;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What goes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    changes: Changes,
    name: String,
    master: NodeUuid,
}

impl LogicalUnit for GroupRemove {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster().exclusive(Lock::Group(config.find_group(&self.group_name)?.uuid.clone())))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let group = held.config().find_group(&self.group_name)?;
        removable(held.config(), group)?;
        Ok(Plan {
            changes: Changes::none().remove(held.state(), ObjectKind::NodeGroup, group.uuid.as_str()),
            name: group.name.clone(),
            master: held.config().cluster().master_node.clone(),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(hooks("group-remove", BTreeSet::from([plan.master.clone()]), [("GROUP_NAME", plan.name.clone())]))
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

fn removable(config: &Config, group: &NodeGroup) -> Result<(), Refusal> {
    let mut nodes: Vec<&str> = config.nodes_of_group(&group.uuid).map(|node| node.name.as_str()).collect();
    if !nodes.is_empty() {
        nodes.sort_unstable();
        return Err(Refusal::state(format!("Group '{}' not empty, has the following nodes: {}", group.name, nodes.join(", "))));
    }
    if config.groups().len() == 1 {
        return Err(Refusal::state(format!("Group '{}' is the only group, cannot be removed", group.name)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn only_empty_groups_go() {
        let mut config = sample::config();
        let group = config.find_group("default").expect("the group").clone();
        assert!(removable(&config, &group).is_err_and(|refusal| refusal.message.contains("node1.example.com, node2")));
        for n in 1..=3 {
            config.remove(ObjectKind::Node, sample::node(n).uuid.as_str());
        }
        assert!(removable(&config, &group).is_err_and(|refusal| refusal.message.contains("only group")));
    }
}
