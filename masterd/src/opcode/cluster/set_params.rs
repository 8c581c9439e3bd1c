//! `OP_CLUSTER_SET_PARAMS`: settings of the cluster.

mod apply;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use gannet_core::config::{Cluster, Config, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::ClusterSetParams;
use gannet_proto::node::{HypervisorValidateRequest, MasterIpRequest};
use gannet_proto::params_to_proto;
use serde::{Deserialize, Serialize};

use crate::effect;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::role;
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What changes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    changes: Changes,
    master: NodeUuid,
    env: BTreeMap<String, String>,
    /// The address moves to another device or gets another prefix: before, after.
    address: Option<(MasterIpRequest, MasterIpRequest)>,
    promoted: Vec<String>,
}

impl LogicalUnit for ClusterSetParams {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster().shared(Lock::AllInstances).shared(Lock::AllGroups).shared(Lock::AllNodes))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let old = config.cluster();
        let (new, notes) = apply::apply(self, config)?;
        notes.iter().for_each(|note| held.log().note(note));
        if self.hvparams.is_some() || self.enabled_hypervisors.is_some() {
            validate_on_nodes(held, old, &new, self.force).await?;
        }
        let mut after = config.clone();
        after.put(Object::Cluster(Arc::new(new.clone())));
        let promoted = role::promotions(&after, &[]);
        let changes = Changes::none().update(held.state(), &Object::Cluster(Arc::new(new)));
        let changes = promoted.iter().fold(changes, |changes, node| changes.update(held.state(), &Object::Node(node.clone())));
        let (before, afterwards) = (crate::master_ip::request(config), crate::master_ip::request(&after));
        Ok(Plan {
            changes,
            master: old.master_node.clone(),
            env: BTreeMap::from([
                ("OP_TARGET".to_owned(), old.cluster_name.clone()),
                ("NEW_VG_NAME".to_owned(), self.vg_name.clone().unwrap_or_else(|| "None".to_owned())),
            ]),
            address: (before != afterwards).then_some((before, afterwards)),
            promoted: promoted.iter().map(|node| node.name.to_string()).collect(),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        let master = BTreeSet::from([plan.master.clone()]);
        Some(Hooks {
            path: "cluster-modify".to_owned(),
            object_type: "CLUSTER".to_owned(),
            pre_nodes: master.clone(),
            post_nodes: master,
            env: plan.env.clone(),
            post_env: BTreeMap::new(),
        })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        if !plan.promoted.is_empty() {
            job.log().info(format!("Promoted nodes to master candidate role: {}", plan.promoted.join(", ")));
        }
        if let Some((before, after)) = &plan.address {
            job.log().info(format!("Moving the master IP from {} to {}", before.netdev, after.netdev));
            job.step(&plan.master, effect::MasterIpStop(before.clone())).await?;
            job.try_step(&plan.master, effect::MasterIpStart(after.clone())).await?;
        }
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

/// Asks all nodes whether they can work with the new values of hypervisors that changed.
async fn validate_on_nodes(held: &Held<'_>, old: &Cluster, new: &Cluster, force: bool) -> Result<(), Refusal> {
    let changed = new
        .enabled_hypervisors
        .iter()
        .filter(|name| old.hvparams.get(*name) != new.hvparams.get(*name) || !old.enabled_hypervisors.contains(name));
    for name in changed {
        let request = HypervisorValidateRequest {
            hypervisor: name.clone(),
            hvparams: new.hvparams.get(name).map(params_to_proto).unwrap_or_default(),
        };
        let nodes: Vec<_> = held.config().nodes().filter(|node| !node.offline && node.vm_capable).cloned().collect();
        let asked = nodes.iter().map(|node| {
            let request = request.clone();
            async move { held.ask(&node.uuid)?.hypervisor_validate(request).await.map_err(Refusal::from) }
        });
        for (node, reply) in nodes.iter().zip(join_all(asked).await) {
            let text = match reply {
                Ok(reply) if reply.problems.is_empty() => continue,
                Ok(reply) => format!("Hypervisor parameter validation failed on node {}: {}", node.name, reply.problems.join("; ")),
                Err(refusal) => refusal.message,
            };
            if !force {
                return Err(Refusal::environment(format!("{text} (--force accepts it)")));
            }
            held.log().warn(text);
        }
    }
    Ok(())
}
