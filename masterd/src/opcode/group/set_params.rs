//! `OP_GROUP_SET_PARAMS`: settings of a node group.

use std::collections::BTreeSet;
use std::sync::Arc;

use gannet_core::config::{Config, Disk, NodeGroup, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::GroupSetParams;
use gannet_core::param::ipolicy;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{alloc_policy, check_states, hooks};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{settings, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What changes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    changes: Changes,
    result: Vec<(String, Value)>,
    name: String,
    alloc_policy: String,
    master: NodeUuid,
}

impl LogicalUnit for GroupSetParams {
    type Plan = Plan;
    type Output = Vec<(String, Value)>;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let group = config.find_group(&self.group_name)?;
        let instances = instances(config, group).into_iter().map(|instance| Lock::Instance(instance.name.clone()));
        Ok(LockSet::shared_cluster().all(instances, Mode::Shared).exclusive(Lock::Group(group.uuid.clone())))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        check_states(self.hv_state.is_some(), self.disk_state.is_some())?;
        if self.alloc_policy.is_none() && self.ndparams.is_none() && self.diskparams.is_none() && self.ipolicy.is_none() {
            return Err(Refusal::invalid("Please pass at least one modification"));
        }
        let old = config.find_group(&self.group_name)?;
        let (new, result) = changed(self, old)?;
        for text in new_violations(config, old, &new) {
            held.log().warn(text);
        }
        Ok(Plan {
            changes: Changes::none().update(held.state(), &Object::NodeGroup(Arc::new(new))),
            result,
            name: old.name.clone(),
            // As Python writes what may be absent.
            alloc_policy: self.alloc_policy.map_or_else(|| "None".to_owned(), |policy| policy.to_string()),
            master: config.cluster().master_node.clone(),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        let env = [("GROUP_NAME", plan.name.clone()), ("NEW_ALLOC_POLICY", plan.alloc_policy.clone())];
        Some(hooks("group-modify", BTreeSet::from([plan.master.clone()]), env))
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Self::Output, Failure> {
        job.finish_with(plan.changes.clone());
        Ok(plan.result.clone())
    }
}

fn instances<'a>(config: &'a Config, group: &'a NodeGroup) -> Vec<&'a Arc<gannet_core::config::Instance>> {
    config.nodes_of_group(&group.uuid).flat_map(|node| config.primary_instances(&node.uuid)).collect()
}

fn changed(unit: &GroupSetParams, old: &NodeGroup) -> Result<(NodeGroup, Vec<(String, Value)>), Refusal> {
    let mut new = old.clone();
    let mut result = Vec::new();
    if let Some(policy) = unit.alloc_policy {
        new.alloc_policy = alloc_policy(policy);
        result.push(("alloc_policy".to_owned(), Value::String(policy.to_string())));
    }
    if let Some(request) = &unit.ndparams {
        new.ndparams = settings::own_ndparams(&old.ndparams, request, false)?;
        let text = request.iter().map(|(name, value)| format!("{name}={}", gannet_core::param::shown(value)));
        result.push(("ndparams".to_owned(), Value::String(text.collect::<Vec<_>>().join(","))));
    }
    if let Some(request) = &unit.diskparams {
        new.diskparams = settings::own_diskparams(&old.diskparams, request.iter().map(|(template, values)| (template.as_str(), values)))?;
    }
    if let Some(request) = &unit.ipolicy {
        let policy = settings::group_ipolicy(&old.ipolicy, request)?;
        new.ipolicy = serde_json::to_value(policy).map_err(|error| Refusal::invalid(error.to_string()))?;
    }
    Ok((new, result))
}

/// Instances that obeyed the old policy and do not obey the new one: allowed, but told.
fn new_violations(config: &Config, old: &NodeGroup, new: &NodeGroup) -> Vec<String> {
    let (before, after) = (spec::ipolicy(config, old), spec::ipolicy(config, new));
    let broken: Vec<String> = instances(config, old)
        .into_iter()
        .filter(|instance| {
            let disks: Vec<Disk> = config.disks_of(instance).map(|disk| Disk::clone(disk)).collect();
            let spec = spec::policy_spec(config, instance, &disks);
            ipolicy::violations(&before, &spec).is_empty() && !ipolicy::violations(&after, &spec).is_empty()
        })
        .map(|instance| instance.name.to_string())
        .collect();
    if broken.is_empty() {
        return Vec::new();
    }
    vec![format!("After the ipolicy change the following instances violate them: {}", broken.join(", "))]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rule::sample;

    #[test]
    fn what_is_left_out_stays() {
        let config = sample::config();
        let old = config.find_group("default").expect("the group of the sample").clone();
        let unit: GroupSetParams =
            serde_json::from_value(json!({"group_name": "default", "alloc_policy": "unallocable", "ndparams": {"ssh_port": 2222}}))
                .expect("parameters");
        let (new, result) = changed(&unit, &old).expect("good values");
        assert_eq!(result, [("alloc_policy".to_owned(), json!("unallocable")), ("ndparams".to_owned(), json!("ssh_port=2222"))]);
        assert_eq!((&new.name, new.ndparams.len(), &new.ipolicy), (&old.name, 1, &old.ipolicy));
        let small = json!({"group_name": "default", "ipolicy": {"minmax": [{
            "min": {"cpu-count": 1, "disk-count": 1, "disk-size": 1, "memory-size": 1, "nic-count": 0, "spindle-use": 1},
            "max": {"cpu-count": 1, "disk-count": 1, "disk-size": 2048, "memory-size": 64, "nic-count": 1, "spindle-use": 1}}]}});
        let (new, _) = changed(&serde_json::from_value(small).expect("parameters"), &old).expect("good values");
        assert_eq!(new_violations(&config, &old, &new).len(), 1, "web1 has 256 MiB");
    }
}
