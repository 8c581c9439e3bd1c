//! `OP_NETWORK_RENAME`.

use std::collections::BTreeSet;
use std::sync::Arc;

use gannet_core::config::{Config, Network, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::NetworkRename;
use serde::{Deserialize, Serialize};

use super::{check_new_name, hooks, members};
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
    new: String,
}

impl LogicalUnit for NetworkRename {
    type Plan = Plan;
    /// The new name.
    type Output = String;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster().exclusive(Lock::Network(config.find_network(&self.network_name)?.uuid.clone())))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let network = config.find_network(&self.network_name)?;
        check_new_name(held, &self.new_name)?;
        let new = Network { name: self.new_name.clone(), ..Network::clone(network) };
        let names = [("OLD_NAME", Some(network.name.clone())), ("NEW_NAME", Some(self.new_name.clone()))];
        Ok(Plan {
            hooks: hooks("network-rename", nodes(config, network), names),
            changes: Changes::none().update(held.state(), &Object::Network(Arc::new(new))),
            new: self.new_name.clone(),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<String, Failure> {
        job.finish_with(plan.changes.clone());
        Ok(plan.new.clone())
    }
}

/// The master, and the nodes of the groups that the network is connected to.
fn nodes(config: &Config, network: &Network) -> BTreeSet<NodeUuid> {
    let groups = config.groups().filter(|group| group.networks.contains_key(&network.uuid));
    groups.flat_map(|group| members(config, group)).chain([config.cluster().master_node.clone()]).collect()
}
