//! `OP_NETWORK_REMOVE`: removes a network that no node group uses.

use gannet_core::config::{Config, Network, ObjectKind};
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::NetworkRemove;
use serde::{Deserialize, Serialize};

use super::hooks;
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

impl LogicalUnit for NetworkRemove {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let network = config.find_network(&self.network_name)?;
        Ok(LockSet::shared_cluster().exclusive(Lock::Network(network.uuid.clone())).shared(Lock::AllGroups))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let network = config.find_network(&self.network_name)?;
        // Ganeti: `force` answers the command's question; a network in use is not removed by it.
        removable(config, network)?;
        let master = config.cluster().master_node.clone();
        Ok(Plan {
            changes: Changes::none().remove(held.state(), ObjectKind::Network, network.uuid.as_str()),
            hooks: hooks("network-remove", [master].into(), [("NETWORK_NAME", Some(network.name.clone()))]),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

fn removable(config: &Config, network: &Network) -> Result<(), Refusal> {
    let groups: Vec<&str> =
        config.groups().filter(|group| group.networks.contains_key(&network.uuid)).map(|group| group.name.as_str()).collect();
    if !groups.is_empty() {
        return Err(Refusal::state(format!(
            "Network still connected to the node groups {}; take it away with `gnt-network disconnect {}`",
            groups.join(", "),
            network.name
        )));
    }
    let uses = |instance: &&std::sync::Arc<gannet_core::config::Instance>| {
        instance.nics.iter().any(|nic| nic.network.as_ref() == Some(&network.uuid))
    };
    match config.instances().find(uses) {
        Some(instance) => Err(Refusal::state(format!("Network '{}' is used by instance {}", network.name, instance.name))),
        None => Ok(()),
    }
}
