//! `OP_GROUP_VERIFY_DISKS`: which disks of running instances are not there (Ganeti's watcher acts on it).

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use gannet_core::config::{Config, Instance, Node};
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::GroupVerifyDisks;
use gannet_proto::node::{DiskInfoReply, DiskInfoRequest};
use serde::{Deserialize, Serialize};

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::spec;
use crate::unit::{AfterCrash, LogicalUnit};

/// Nodes that could not be asked and why; instances whose disks have to be activated; instance → missing `[node, volume]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Outcome(BTreeMap<String, String>, Vec<String>, BTreeMap<String, Vec<(String, String)>>);

impl LogicalUnit for GroupVerifyDisks {
    type Plan = Outcome;
    type Output = Outcome;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let group = config.find_group(&self.group_name)?;
        let nodes: Vec<Lock> = config.nodes_of_group(&group.uuid).map(|node| Lock::Node(node.uuid.clone())).collect();
        let instances: Vec<Lock> = config
            .nodes_of_group(&group.uuid)
            .flat_map(|node| config.primary_instances(&node.uuid))
            .map(|instance| Lock::Instance(instance.name.clone()))
            .collect();
        let set = LockSet::shared_cluster().shared(Lock::Group(group.uuid.clone()));
        Ok(if self.is_strict {
            set.all(instances, Mode::Shared).all(nodes, Mode::Shared)
        } else {
            set.opportunistic(instances, Mode::Shared).opportunistic(nodes, Mode::Shared)
        })
    }

    async fn check(&self, held: &Held<'_>) -> Result<Outcome, Refusal> {
        let config = held.config();
        let group = config.find_group(&self.group_name)?;
        let nodes: Vec<&Arc<Node>> = config.nodes_of_group(&group.uuid).filter(|node| !node.offline && node.vm_capable).collect();
        let asked = nodes.iter().map(|node| async {
            let instances: Vec<Arc<Instance>> = config
                .primary_instances(&node.uuid)
                .filter(|instance| instance.disks_active && (self.is_strict || held.holds(&Lock::Instance(instance.name.clone()))))
                .cloned()
                .collect();
            let disks: Vec<_> = instances.iter().flat_map(|instance| spec::disk_refs(config, instance)).collect();
            if disks.is_empty() {
                return (instances, Ok(DiskInfoReply::default()));
            }
            let reply = async { held.ask(&node.uuid)?.disk_info(DiskInfoRequest { disks }).await.map_err(Refusal::from) };
            (instances, reply.await)
        });
        let mut outcome = Outcome::default();
        for (node, (instances, reply)) in nodes.iter().zip(join_all(asked).await) {
            match reply {
                Ok(reply) => compare(config, node, &instances, &reply, &mut outcome),
                Err(refusal) => {
                    held.log().warn(format!("Error enumerating disks on node {}: {refusal}", node.name));
                    outcome.0.insert(node.uuid.as_str().to_owned(), refusal.message);
                }
            }
        }
        Ok(outcome)
    }

    async fn execute(plan: &Outcome, _job: &mut Steps<'_>) -> Result<Outcome, Failure> {
        Ok(plan.clone())
    }
}

fn compare(config: &Config, node: &Node, instances: &[Arc<Instance>], reply: &DiskInfoReply, outcome: &mut Outcome) {
    for instance in instances {
        for disk in config.disks_of(instance) {
            let state = reply.disks.iter().find(|state| state.uuid == disk.uuid.as_str());
            let volume = disk.logical_id.path().unwrap_or(&disk.iv_name).to_owned();
            match state {
                Some(state) if !state.exists => {
                    outcome.2.entry(instance.name.to_string()).or_default().push((node.uuid.as_str().to_owned(), volume));
                }
                Some(state) if state.error.is_empty() => {}
                _ if outcome.1.iter().any(|name| name == instance.name.as_str()) => {}
                _ => outcome.1.push(instance.name.to_string()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gannet_proto::node::DiskState;

    use super::*;
    use crate::rule::sample;

    #[test]
    fn missing_and_broken_disks_are_told_apart() {
        let config = sample::config();
        let instances: Vec<Arc<Instance>> = config.instances().cloned().collect();
        let state = |exists, error: &str| DiskInfoReply {
            disks: vec![DiskState { uuid: sample::uuid(4, 1), exists, error: error.to_owned(), ..DiskState::default() }],
        };
        let outcome = |reply: &DiskInfoReply| {
            let mut outcome = Outcome::default();
            compare(&config, &sample::node(1), &instances, reply, &mut outcome);
            outcome
        };
        assert_eq!(outcome(&state(true, "")), Outcome::default());
        assert_eq!(outcome(&state(false, "")).2["web1.example.com"].len(), 1);
        assert_eq!(outcome(&state(true, "broken")).1, ["web1.example.com"]);
    }
}
