//! `OP_NODE_EVACUATE`: empties a node, one job per instance. Each job asks for its place when it runs, so that they do not
//! all choose the same node.

use std::sync::Arc;

use gannet_core::config::{Config, Instance, Node};
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::{EvacMode, InstanceFailover, InstanceMigrate, NodeEvacuate, OpCode};
use gannet_core::param::DiskTemplate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::held::Held;
use crate::job::{Steps, jobs_result};
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

/// One opcode per instance.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    jobs: Vec<Vec<OpCode>>,
}

impl LogicalUnit for NodeEvacuate {
    type Plan = Plan;
    type Output = Value;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let node = config.find_node(&self.node_name)?;
        let instances = instances(config, node, self.mode)?;
        let members = config.nodes_of_group(&node.group).map(|member| Lock::Node(member.uuid.clone()));
        Ok(LockSet::shared_cluster()
            .all(instances.iter().map(|instance| Lock::Instance(instance.name.clone())), Mode::Shared)
            .shared(Lock::Group(node.group.clone()))
            .all(members, Mode::Shared))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let node = held.find_node(&self.node_name)?;
        check_choice(self, config)?;
        let instances = instances(config, node, self.mode)?;
        if let Some(remote) = &self.remote_node {
            if held.find_node(remote)?.uuid == node.uuid {
                return Err(Refusal::invalid("Can not use evacuated node as a new secondary node"));
            }
            if self.mode != EvacMode::SecondaryOnly {
                return Err(Refusal::invalid("Without the use of an iallocator only secondary instances can be evacuated"));
            }
        }
        let (movable, stuck): (Vec<_>, Vec<_>) = instances.into_iter().partition(|instance| is_movable(config, instance));
        if !stuck.is_empty() {
            let names: Vec<String> =
                stuck.iter().map(|instance| format!("{} (disk template {})", instance.name, config.disk_template(instance))).collect();
            let text = format!("Unable to evacuate instances {}", names.join(", "));
            if self.ignore_soft_errors != Some(true) {
                return Err(Refusal::state(format!(
                    "{text}: only instances on shared storage can leave a node as a whole; use `gnt-instance move`"
                )));
            }
            held.log().warn(text);
        }
        Ok(Plan { jobs: movable.iter().map(|instance| vec![self.opcode(node, instance)]).collect() })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Value, Failure> {
        if plan.jobs.is_empty() {
            return Ok(jobs_result(&[]));
        }
        Ok(jobs_result(&job.submit(plan.jobs.clone()).await?))
    }
}

trait Leaving {
    fn opcode(&self, node: &Node, instance: &Instance) -> OpCode;
}

impl Leaving for NodeEvacuate {
    /// From a node that is gone nothing can be migrated.
    fn opcode(&self, node: &Node, instance: &Instance) -> OpCode {
        let name = instance.name.to_string();
        if node.offline {
            let failover =
                InstanceFailover { iallocator: self.iallocator.clone(), ignore_consistency: true, ..InstanceFailover::new(name) };
            return failover.into();
        }
        InstanceMigrate { iallocator: self.iallocator.clone(), allow_failover: true, ..InstanceMigrate::new(name) }.into()
    }
}

fn check_choice(unit: &NodeEvacuate, config: &Config) -> Result<(), Refusal> {
    match (&unit.iallocator, &unit.remote_node) {
        (Some(_), Some(_)) => Err(Refusal::invalid("Do not specify both, iallocator and node")),
        (None, None) if config.cluster().default_iallocator.is_empty() => Err(Refusal::invalid(
            "No iallocator or node given and no cluster-wide default iallocator found; please specify either an iallocator or a node, or \
             set a cluster-wide default iallocator",
        )),
        _ => Ok(()),
    }
}

fn instances(config: &Config, node: &Node, mode: EvacMode) -> Result<Vec<Arc<Instance>>, Refusal> {
    match mode {
        EvacMode::PrimaryOnly => Ok(config.primary_instances(&node.uuid).cloned().collect()),
        EvacMode::SecondaryOnly => Ok(config.secondary_instances(&node.uuid).cloned().collect()),
        EvacMode::All => Err(Refusal::invalid("Unsupported evacuation mode 'all'; choose primary-only or secondary-only")),
    }
}

fn is_movable(config: &Config, instance: &Instance) -> bool {
    config.disk_template(instance).parse::<DiskTemplate>().is_ok_and(DiskTemplate::is_ext_mirrored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn only_shared_storage_leaves() {
        let config = sample::config();
        let node = sample::node(1);
        let found = instances(&config, &node, EvacMode::PrimaryOnly).expect("a mode");
        assert_eq!(found.len(), 1);
        assert!(!is_movable(&config, &found[0]), "its disks are files of its node");
        assert!(instances(&config, &node, EvacMode::All).is_err());
        assert!(instances(&config, &node, EvacMode::SecondaryOnly).expect("a mode").is_empty());
    }

    #[test]
    fn what_runs_on_a_dead_node_fails_over() {
        let unit = NodeEvacuate::new("node1.example.com", EvacMode::PrimaryOnly);
        let op = |offline| unit.opcode(&Node { offline, ..sample::node(1) }, &sample::instance(1, 1)).op.id().to_owned();
        assert_eq!((op(false), op(true)), ("OP_INSTANCE_MIGRATE".to_owned(), "OP_INSTANCE_FAILOVER".to_owned()));
    }
}
