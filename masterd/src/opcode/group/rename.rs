//! `OP_GROUP_RENAME`.

use std::collections::BTreeSet;
use std::sync::Arc;

use gannet_core::config::{Config, NodeGroup, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::GroupRename;
use serde::{Deserialize, Serialize};

use super::{check_new_name, hooks};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What changes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    changes: Changes,
    old: String,
    new: String,
    nodes: BTreeSet<NodeUuid>,
}

impl LogicalUnit for GroupRename {
    type Plan = Plan;
    /// The new name.
    type Output = String;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster().exclusive(Lock::Group(config.find_group(&self.group_name)?.uuid.clone())))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let group = config.find_group(&self.group_name)?;
        check_new_name(held, &self.new_name)?;
        let new = NodeGroup { name: self.new_name.clone(), ..NodeGroup::clone(group) };
        let members = config.nodes_of_group(&group.uuid).map(|node| node.uuid.clone());
        Ok(Plan {
            changes: Changes::none().update(held.state(), &Object::NodeGroup(Arc::new(new))),
            old: group.name.clone(),
            new: self.new_name.clone(),
            nodes: members.chain([config.cluster().master_node.clone()]).collect(),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(hooks("group-rename", plan.nodes.clone(), [("OLD_NAME", plan.old.clone()), ("NEW_NAME", plan.new.clone())]))
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<String, Failure> {
        job.finish_with(plan.changes.clone());
        Ok(plan.new.clone())
    }
}
