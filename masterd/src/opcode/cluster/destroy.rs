//! `OP_CLUSTER_DESTROY`: the last job of a cluster. It checks that nothing is left and gives the master address up; the
//! client then stops the daemons and removes their data.

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::config::Config;
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::ClusterDestroy;
use gannet_proto::node::MasterIpRequest;
use serde::{Deserialize, Serialize};

use crate::effect;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What is given up.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    cluster: String,
    master: NodeUuid,
    address: MasterIpRequest,
}

impl LogicalUnit for ClusterDestroy {
    type Plan = Plan;
    /// The master's UUID.
    type Output = String;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::exclusive_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        empty(held.config())?;
        let cluster = held.config().cluster();
        Ok(Plan {
            cluster: cluster.cluster_name.clone(),
            master: cluster.master_node.clone(),
            address: crate::master_ip::request(held.config()),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(Hooks {
            path: "cluster-destroy".to_owned(),
            object_type: "CLUSTER".to_owned(),
            pre_nodes: BTreeSet::new(),
            // Ganeti runs them on the master, before anything is gone.
            post_nodes: BTreeSet::from([plan.master.clone()]),
            env: BTreeMap::from([("OP_TARGET".to_owned(), plan.cluster.clone())]),
            post_env: BTreeMap::new(),
        })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<String, Failure> {
        job.try_step(&plan.master, effect::MasterIpStop(plan.address.clone())).await?;
        Ok(plan.master.as_str().to_owned())
    }
}

fn empty(config: &Config) -> Result<(), Refusal> {
    let others = config.nodes().len().saturating_sub(1);
    if others > 0 {
        return Err(Refusal::invalid(format!("There are still {others} node(s) in this cluster.")));
    }
    match config.instance_count() {
        0 => Ok(()),
        count => Err(Refusal::invalid(format!("There are still {count} instance(s) in this cluster."))),
    }
}

#[cfg(test)]
mod tests {
    use gannet_core::config::ObjectKind;

    use super::*;
    use crate::rule::sample;

    #[test]
    fn only_an_empty_cluster_is_destroyed() {
        let mut config = sample::config();
        assert!(empty(&config).is_err_and(|refusal| refusal.message.contains("2 node(s)")));
        for n in [2, 3] {
            config.remove(ObjectKind::Node, sample::node(n).uuid.as_str());
        }
        assert!(empty(&config).is_err_and(|refusal| refusal.message.contains("1 instance(s)")));
        config.remove(ObjectKind::Instance, sample::instance(1, 1).uuid.as_str());
        assert!(empty(&config).is_ok());
    }
}
