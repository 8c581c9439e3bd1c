//! `OP_NETWORK_ADD`: a new network, connected to no node group.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use gannet_core::config::{Config, Network, Object, Stamps};
use gannet_core::id::NetworkUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::NetworkAdd;
use gannet_core::tag::{MAX_TAGS_PER_OBJECT, Tag, TagSet};
use serde::{Deserialize, Serialize};

use super::{check_new_name, described, hooks, mac_prefix};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::pool::{Kind, Pool};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// The network as it will be.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    changes: Changes,
    hooks: Hooks,
}

impl LogicalUnit for NetworkAdd {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        // The new network's own lock is known to nobody: its name is reserved instead.
        let set = LockSet::shared_cluster();
        Ok(if self.conflicts_check { set.shared(Lock::AllNodes) } else { set })
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        check_new_name(held, &self.network_name)?;
        let (network, notes) = network(self, held.config(), Stamps::new(held.now()))?;
        notes.iter().for_each(|note| held.log().note(note));
        let master = held.config().cluster().master_node.clone();
        Ok(Plan {
            hooks: hooks("network-add", [master].into(), described(&network)),
            changes: Changes::none().add(&Object::Network(Arc::new(network))),
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

/// The network, and what is to be told of its reservations. Pure.
fn network(unit: &NetworkAdd, config: &Config, stamps: Stamps) -> Result<(Network, Vec<String>), Refusal> {
    let mut pool = Pool::new(&unit.network)?;
    let mut notes = Vec::new();
    if let Some(gateway) = unit.gateway {
        pool.reserve(gateway, Kind::External).map_err(|error| Refusal::invalid(format!("Cannot reserve the gateway: {error}")))?;
    }
    if unit.conflicts_check {
        for (owner, address) in addresses(config) {
            if pool.reserve(address, Kind::External).is_ok() {
                notes.push(format!("Reserved IP address of {owner} ({address})"));
            }
        }
    }
    for address in unit.add_reserved_ips.iter().flatten() {
        // Those of nodes may be named, too.
        if !pool.is_external(*address)? {
            pool.reserve(*address, Kind::External)?;
        }
    }
    let tags: TagSet = unit
        .tags
        .iter()
        .map(|text| text.parse::<Tag>().map_err(|error| Refusal::invalid(format!("{error}: '{text}'"))))
        .collect::<Result<_, _>>()?;
    if tags.len() > MAX_TAGS_PER_OBJECT {
        return Err(Refusal::invalid(format!("Too many tags: an object can have {MAX_TAGS_PER_OBJECT}")));
    }
    let mut network = Network {
        name: unit.network_name.clone(),
        mac_prefix: unit.mac_prefix.as_deref().map(mac_prefix).transpose()?,
        network: pool.network(),
        network6: unit.network6.clone(),
        gateway: unit.gateway.map(|address| address.to_string()),
        gateway6: unit.gateway6.map(|address| address.to_string()),
        reservations: None,
        ext_reservations: None,
        uuid: NetworkUuid::random(),
        stamps,
        tags,
    };
    pool.write(&mut network);
    Ok((network, notes))
}

/// IPv4 addresses of nodes and of the cluster, and whose they are.
fn addresses(config: &Config) -> Vec<(String, Ipv4Addr)> {
    let v4 = |text: &str| match text.parse() {
        Ok(IpAddr::V4(address)) => Some(address),
        Ok(IpAddr::V6(_)) | Err(_) => None,
    };
    let of_nodes = config.nodes().flat_map(|node| {
        let owner = format!("node '{}'", node.name);
        [&node.primary_ip, &node.secondary_ip].map(|text| (owner.clone(), v4(text)))
    });
    let of_cluster = ("the cluster's master".to_owned(), v4(&config.cluster().master_ip));
    of_nodes.chain([of_cluster]).filter_map(|(owner, address)| Some((owner, address?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    fn made(change: impl FnOnce(&mut NetworkAdd)) -> Result<(Network, Vec<String>), String> {
        let mut unit = NetworkAdd::new("net1", "192.0.2.0/28");
        change(&mut unit);
        network(&unit, &sample::config(), Stamps::default()).map_err(|refusal| refusal.message)
    }

    #[test]
    fn nodes_keep_their_addresses() {
        let (network, notes) = made(|unit| unit.gateway = Some(Ipv4Addr::new(192, 0, 2, 14))).expect("a network");
        assert_eq!(network.ext_reservations.as_deref(), Some("1111000000000011"));
        assert!(notes[0].contains("node1") && notes.len() == 3, "primary and secondary are the same: {notes:?}");
        let (network, notes) = made(|unit| unit.conflicts_check = false).expect("a network");
        assert_eq!(network.ext_reservations.as_deref(), Some("1000000000000001"));
        assert!(notes.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(made(|unit| unit.gateway = Some(Ipv4Addr::new(10, 0, 0, 1))).is_err_and(|text| text.contains("gateway")));
        assert!(made(|unit| unit.add_reserved_ips = Some(vec![Ipv4Addr::new(10, 0, 0, 1)])).is_err());
        assert!(made(|unit| unit.network = "192.0.2.0/31".into()).is_err());
        assert!(made(|unit| unit.mac_prefix = Some("aa:bb".into())).is_err());
        assert!(made(|unit| unit.tags = vec!["a b".into()]).is_err());
        assert!(made(|unit| unit.add_reserved_ips = Some(vec![Ipv4Addr::new(192, 0, 2, 1)])).is_ok(), "a node's address once more");
    }
}
