//! `OP_NETWORK_CONNECT`: makes a network usable in a node group.

use std::sync::Arc;

use gannet_core::config::{Config, NodeGroup, Object, ParamMap};
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::NetworkConnect;
use gannet_core::param::NicMode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{hooks, members, nics_in_the_way, placed, pool_of, refuse_conflicts};
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

impl LogicalUnit for NetworkConnect {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let (network, group) = (config.find_network(&self.network_name)?, config.find_group(&self.group_name)?);
        let set = LockSet::shared_cluster().exclusive(Lock::Group(group.uuid.clone())).shared(Lock::Network(network.uuid.clone()));
        if !self.conflicts_check {
            return Ok(set);
        }
        Ok(set.all(super::instance_locks(config, group), Mode::Shared))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let (network, group) = (config.find_network(&self.network_name)?, config.find_group(&self.group_name)?);
        let place = place(self)?;
        let nodes = members(config, group);
        if group.networks.contains_key(&network.uuid) {
            held.log().warn(format!("Network '{}' is already mapped to group '{}'", network.name, group.name));
            return Ok(Plan { changes: Changes::none(), hooks: hooks("network-connect", nodes, placed(config, group, network)) });
        }
        if self.conflicts_check {
            let pool = pool_of(network)?;
            let found =
                nics_in_the_way(config, group, |nic| nic.network.is_none() && nic.ip.as_deref().is_some_and(|ip| pool.contains_text(ip)));
            refuse_conflicts(held, network, group, "connect to", &found)?;
        }
        let mut new = NodeGroup::clone(group);
        new.networks.insert(network.uuid.clone(), place);
        let hooks = hooks("network-connect", nodes, placed(config, &new, network));
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

/// The NIC parameters of the network in the group.
fn place(unit: &NetworkConnect) -> Result<ParamMap, Refusal> {
    if unit.network_mode == NicMode::Pool {
        return Err(Refusal::invalid("A network is connected by mode bridged, routed or openvswitch; pool is a mode of NICs only"));
    }
    if !unit.network_vlan.is_empty() && unit.network_mode != NicMode::OpenVswitch {
        return Err(Refusal::invalid("A vlan can only be given for networks on Open vSwitch (mode openvswitch)"));
    }
    let mut place = ParamMap::from([("mode".to_owned(), json!(unit.network_mode.as_str())), ("link".to_owned(), json!(unit.network_link))]);
    if !unit.network_vlan.is_empty() {
        place.insert("vlan".to_owned(), json!(unit.network_vlan));
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let mut unit = NetworkConnect::new("default", "net1", NicMode::Bridged, "br0");
        assert_eq!(
            place(&unit).expect("a place"),
            ParamMap::from([("mode".to_owned(), json!("bridged")), ("link".to_owned(), json!("br0"))])
        );
        unit.network_vlan = ".7".to_owned();
        assert!(place(&unit).is_err());
        unit.network_mode = NicMode::OpenVswitch;
        assert_eq!(place(&unit).expect("a place")["vlan"], json!(".7"));
        unit.network_mode = NicMode::Pool;
        assert!(place(&unit).is_err());
    }
}
