//! `OP_INSTANCE_MULTI_ALLOC`: finds places for several new instances at once, each beside the others, and submits a job to
//! create each.

use std::collections::BTreeSet;

use gannet_core::config::Config;
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::{InstanceCreate, InstanceMultiAlloc, Op, OpCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::create;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::place::{self, Placer};
use crate::rule::spec;
use crate::unit::{AfterCrash, LogicalUnit};

#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    jobs: Vec<NewJob>,
    allocatable: Vec<String>,
    failed: Vec<String>,
}

/// Secret parameters stay out of the stored plan; a job that lost them is refused by its own check.
#[derive(Debug, Serialize, Deserialize)]
struct NewJob {
    #[serde(serialize_with = "for_storage")]
    op: OpCode,
}

fn for_storage<S: serde::Serializer>(op: &OpCode, serializer: S) -> Result<S::Ok, S::Error> {
    op.serialize_for_storage(serializer)
}

impl LogicalUnit for InstanceMultiAlloc {
    type Plan = Plan;
    type Output = Value;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let set = LockSet::shared_cluster();
        let both = |node: &gannet_core::id::NodeUuid| [Lock::Node(node.clone()), Lock::NodeRes(node.clone())];
        if chosen(config, self)?.is_some() {
            let nodes = config.nodes().flat_map(|node| both(&node.uuid));
            return Ok(if self.opportunistic_locking { set.opportunistic(nodes, Mode::Shared) } else { set.all(nodes, Mode::Shared) });
        }
        let named = creations(self).flat_map(|op| [&op.pnode, &op.snode]).flatten();
        let nodes = named.map(|name| Ok(config.find_node(name)?.uuid.clone())).collect::<Result<Vec<_>, Refusal>>()?;
        Ok(set.all(nodes.iter().flat_map(both), Mode::Shared))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let mut plan = Plan { jobs: Vec::new(), allocatable: Vec::new(), failed: Vec::new() };
        let Some(iallocator) = chosen(config, self)? else {
            plan.allocatable = creations(self).map(|op| op.instance_name.clone()).collect();
            plan.jobs = self.instances.iter().map(|op| NewJob { op: op.clone() }).collect();
            return Ok(plan);
        };
        let free = self
            .opportunistic_locking
            .then(|| config.nodes().map(|node| node.uuid.clone()).filter(|node| held.holds(&Lock::Node(node.clone()))).collect::<Vec<_>>());
        let mut placer: Option<(gannet_core::param::DiskTemplate, Placer)> = None;
        for opcode in &self.instances {
            let Op::InstanceCreate(op) = &opcode.op else { continue };
            // Names are looked up, if at all, by the job itself.
            let draft = create::draft(config, op, op.name_check.then_some("0.0.0.0"), held.now())?;
            // Free disk space is asked for one template; one call with several is rare.
            if placer.as_ref().is_none_or(|(template, _)| *template != draft.template) {
                placer = Some((draft.template, Placer::new(held, draft.template, None).await?));
            }
            let Some((_, placer)) = placer.as_mut() else { continue };
            let group = op.group_name.as_deref().map(|name| config.find_group(name)).transpose()?;
            let wanted = create::wanted(&draft, group.map(|group| &group.uuid), free.clone(), op.ignore_ipolicy);
            match placer.allocate(config, &wanted) {
                Ok(nodes) => {
                    plan.allocatable.push(op.instance_name.clone());
                    plan.jobs.push(NewJob { op: placed(config, opcode, op, &nodes) });
                }
                Err(why) => {
                    held.log().warn(format!("Instance {}: {}", op.instance_name, place::no_place(&iallocator, &why).message));
                    plan.failed.push(op.instance_name.clone());
                }
            }
        }
        Ok(plan)
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Value, Failure> {
        let jobs: Vec<Vec<OpCode>> = plan.jobs.iter().map(|new| vec![new.op.clone()]).collect();
        let ids = if jobs.is_empty() { Vec::new() } else { job.submit(jobs).await? };
        let mut result = crate::job::jobs_result(&ids);
        result["allocatable"] = json!(plan.allocatable);
        result["failed"] = json!(plan.failed);
        Ok(result)
    }
}

fn creations(op: &InstanceMultiAlloc) -> impl Iterator<Item = &InstanceCreate> {
    op.instances.iter().filter_map(|opcode| match &opcode.op {
        Op::InstanceCreate(create) => Some(&**create),
        _ => None,
    })
}

/// The allocator; `None` when every instance names its nodes. The wording is Ganeti's.
fn chosen(config: &Config, op: &InstanceMultiAlloc) -> Result<Option<String>, Refusal> {
    let mut names = BTreeSet::new();
    let duplicates: Vec<&str> = creations(op).map(|create| create.instance_name.as_str()).filter(|name| !names.insert(*name)).collect();
    if !duplicates.is_empty() {
        return Err(Refusal::invalid(format!("There are duplicate instance names: {}", duplicates.join(", "))));
    }
    if creations(op).any(|create| create.iallocator.is_some()) {
        return Err(Refusal::invalid("iallocator are not allowed to be set on instance objects"));
    }
    let named = creations(op).filter(|create| create.pnode.is_some()).count();
    if named > 0 && named < names.len() {
        return Err(Refusal::invalid("There are instance objects providing pnode/snode while others do not"));
    }
    let all_named = named > 0 || names.is_empty();
    place::chosen_iallocator(config, op.iallocator.as_deref(), all_named.then_some(""))
}

/// The creation with its nodes.
fn placed(config: &Config, opcode: &OpCode, op: &InstanceCreate, nodes: &[gannet_core::id::NodeUuid]) -> OpCode {
    let mut names = nodes.iter().map(|node| spec::node_name(config, node));
    let create = InstanceCreate { pnode: names.next(), snode: names.next(), opportunistic_locking: false, ..op.clone() };
    OpCode { common: opcode.common.clone(), op: create.into() }
}

#[cfg(test)]
mod tests {
    use gannet_core::opcode::InstanceCreateMode;

    use super::*;
    use crate::rule::sample;

    fn create(name: &str, pnode: Option<&str>) -> InstanceCreate {
        InstanceCreate { pnode: pnode.map(str::to_owned), ..InstanceCreate::new(name, vec![], InstanceCreateMode::Create, vec![]) }
    }

    fn chosen_for(instances: Vec<InstanceCreate>) -> Result<Option<String>, String> {
        let op = InstanceMultiAlloc { instances: instances.into_iter().map(OpCode::from).collect(), ..InstanceMultiAlloc::default() };
        chosen(&sample::config(), &op).map_err(|refusal| refusal.message)
    }

    #[test]
    fn all_or_no_instance_names_its_nodes() {
        assert_eq!(chosen_for(vec![create("a", None), create("b", None)]), Ok(Some("hail".to_owned())));
        assert_eq!(chosen_for(vec![create("a", Some("node1")), create("b", Some("node2"))]), Ok(None));
        assert!(chosen_for(vec![create("a", Some("node1")), create("b", None)]).unwrap_err().contains("while others do not"));
        assert_eq!(chosen_for(vec![create("a", None), create("a", None)]).unwrap_err(), "There are duplicate instance names: a");
    }
}
