//! `OP_NETWORK_DISCONNECT`: takes a network away from a node group.

use std::sync::Arc;

use gannet_core::config::{Config, NodeGroup, Object};
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::NetworkDisconnect;
use serde::{Deserialize, Serialize};

use super::{hooks, members, nics_in_the_way, placed, refuse_conflicts};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What changes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    changes: Changes,
    hooks: Hooks,
}

impl LogicalUnit for NetworkDisconnect {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let group = config.find_group(&self.group_name)?;
        config.find_network(&self.network_name)?;
        let set = LockSet::shared_cluster().exclusive(Lock::Group(group.uuid.clone()));
        Ok(set.all(super::instance_locks(config, group), Mode::Shared))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let (network, group) = (config.find_network(&self.network_name)?, config.find_group(&self.group_name)?);
        let hooks = hooks("network-disconnect", members(config, group), placed(config, group, network));
        if !group.networks.contains_key(&network.uuid) {
            held.log().warn(format!("Network '{}' is not mapped to group '{}'", network.name, group.name));
            return Ok(Plan { changes: Changes::none(), hooks });
        }
        let found = nics_in_the_way(config, group, |nic| nic.network.as_ref() == Some(&network.uuid));
        refuse_conflicts(held, network, group, "disconnect from", &found)?;
        let mut new = NodeGroup::clone(group);
        new.networks.remove(&network.uuid);
        Ok(Plan { changes: Changes::none().update(held.state(), &Object::NodeGroup(Arc::new(new))), hooks })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}
