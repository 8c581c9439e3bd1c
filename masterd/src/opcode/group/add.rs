//! `OP_GROUP_ADD`: a new node group, without nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gannet_core::config::{AllocPolicy, Config, NodeGroup, Object, ParamMap, Stamps};
use gannet_core::id::{GroupUuid, NodeUuid};
use gannet_core::lock::LockSet;
use gannet_core::opcode::GroupAdd;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{alloc_policy, check_new_name, check_states, hooks};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::settings;
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// The group as it will be.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    changes: Changes,
    name: String,
    master: NodeUuid,
}

impl LogicalUnit for GroupAdd {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        // The new group's own lock is known to nobody: its name is reserved instead.
        Ok(LockSet::shared_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        check_states(self.hv_state.is_some(), self.disk_state.is_some())?;
        check_new_name(held, &self.group_name)?;
        let group = group(self, Stamps::new(held.now()))?;
        Ok(Plan {
            changes: Changes::none().add(&Object::NodeGroup(Arc::new(group))),
            name: self.group_name.clone(),
            master: held.config().cluster().master_node.clone(),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(hooks("group-add", BTreeSet::from([plan.master.clone()]), [("GROUP_NAME", plan.name.clone())]))
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

fn group(unit: &GroupAdd, stamps: Stamps) -> Result<NodeGroup, Refusal> {
    let diskparams = unit.diskparams.iter().flatten().map(|(template, values)| (template.as_str(), values));
    let ipolicy = match &unit.ipolicy {
        Some(request) => {
            serde_json::to_value(settings::group_ipolicy(&json!({}), request)?).map_err(|error| Refusal::invalid(error.to_string()))?
        }
        None => json!({}),
    };
    Ok(NodeGroup {
        name: unit.group_name.clone(),
        ndparams: settings::own_ndparams(&ParamMap::new(), &unit.ndparams.clone().unwrap_or_default(), false)?,
        alloc_policy: unit.alloc_policy.map_or(AllocPolicy::Preferred, alloc_policy),
        ipolicy,
        diskparams: settings::own_diskparams(&BTreeMap::new(), diskparams)?,
        networks: BTreeMap::new(),
        hv_state_static: BTreeMap::new(),
        disk_state_static: BTreeMap::new(),
        stamps,
        uuid: GroupUuid::random(),
        tags: Default::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_only_its_own_values() {
        let unit: GroupAdd = serde_json::from_value(json!({
            "group_name": "rack2", "alloc_policy": "last_resort", "ndparams": {"ssh_port": 2222, "ovs": "default"},
            "ipolicy": {"vcpu-ratio": 2}
        }))
        .expect("parameters");
        let group = group(&unit, Stamps::default()).expect("good values");
        assert_eq!(group.alloc_policy, AllocPolicy::LastResort);
        assert_eq!(group.ndparams, ParamMap::from([("ssh_port".to_owned(), json!(2222))]));
        assert_eq!(group.ipolicy, json!({"vcpu-ratio": 2.0}));
    }
}
