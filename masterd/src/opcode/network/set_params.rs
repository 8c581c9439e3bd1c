//! `OP_NETWORK_SET_PARAMS`: gateway, reserved addresses, prefix and IPv6 of a network.

use std::net::Ipv4Addr;
use std::sync::Arc;

use gannet_core::config::{Config, Network, Object};
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::NetworkSetParams;
use serde::{Deserialize, Serialize};

use super::{described, hooks, mac_prefix, pool_of};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::pool::{Kind, Pool};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What changes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    changes: Changes,
    hooks: Hooks,
}

impl LogicalUnit for NetworkSetParams {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster().exclusive(Lock::Network(config.find_network(&self.network_name)?.uuid.clone())))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let old = held.config().find_network(&self.network_name)?;
        let (new, warnings) = changed(self, old)?;
        warnings.iter().for_each(|text| held.log().warn(text));
        let master = held.config().cluster().master_node.clone();
        // Ganeti: hooks are told the values before the change.
        Ok(Plan {
            hooks: hooks("network-modify", [master].into(), described(old)),
            changes: Changes::none().update(held.state(), &Object::Network(Arc::new(new))),
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

/// The network afterwards, and what is to be told. Pure.
fn changed(unit: &NetworkSetParams, old: &Network) -> Result<(Network, Vec<String>), Refusal> {
    let mut pool = pool_of(old)?;
    let mut new = old.clone();
    let mut warnings = Vec::new();
    if let Some(gateway) = unit.gateway {
        set_gateway(&mut pool, &mut new, gateway, &mut warnings)?;
    }
    for address in unit.add_reserved_ips.iter().flatten() {
        if pool.is_external(*address)? {
            warnings.push(format!("IP address {address} is already reserved"));
        } else {
            pool.reserve(*address, Kind::External)?;
        }
    }
    for address in unit.remove_reserved_ips.iter().flatten() {
        if new.gateway.as_deref() == Some(address.to_string().as_str()) {
            warnings.push(format!("Cannot unreserve the gateway's IP address {address}"));
        } else if pool.is_external(*address)? {
            pool.release(*address, Kind::External)?;
        } else {
            warnings.push(format!("IP address {address} is already unreserved"));
        }
    }
    if let Some(prefix) = &unit.mac_prefix {
        new.mac_prefix = Some(mac_prefix(prefix)?);
    }
    if let Some(network6) = &unit.network6 {
        new.network6 = Some(network6.clone());
    }
    if let Some(gateway6) = unit.gateway6 {
        new.gateway6 = Some(gateway6.to_string());
    }
    pool.write(&mut new);
    Ok((new, warnings))
}

fn set_gateway(pool: &mut Pool, network: &mut Network, gateway: Ipv4Addr, warnings: &mut Vec<String>) -> Result<(), Refusal> {
    let old = network.gateway.as_ref().and_then(|text| text.parse::<Ipv4Addr>().ok());
    if old == Some(gateway) {
        warnings.push(format!("Gateway is already {gateway}"));
        return Ok(());
    }
    if pool.is_reserved(gateway)? {
        return Err(Refusal::state(format!("Gateway IP address '{gateway}' is already reserved")));
    }
    pool.reserve(gateway, Kind::External)?;
    // Free already, when somebody has taken the reservation away.
    old.map(|old| pool.release(old, Kind::External));
    network.gateway = Some(gateway.to_string());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    fn network() -> Network {
        let mut network = sample::network("net1", "192.0.2.0/29");
        let mut pool = Pool::new("192.0.2.0/29").expect("a network");
        pool.reserve(Ipv4Addr::new(192, 0, 2, 1), Kind::External).expect("free");
        pool.reserve(Ipv4Addr::new(192, 0, 2, 2), Kind::Nic).expect("free");
        pool.write(&mut network);
        network.gateway = Some("192.0.2.1".into());
        network
    }

    fn after(change: impl FnOnce(&mut NetworkSetParams)) -> Result<(Network, Vec<String>), String> {
        let mut unit = NetworkSetParams::new("net1");
        change(&mut unit);
        changed(&unit, &network()).map_err(|refusal| refusal.message)
    }

    fn ip(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(192, 0, 2, last)
    }

    #[test]
    fn the_gateway_moves_with_its_reservation() {
        let (new, _) = after(|unit| unit.gateway = Some(ip(3))).expect("free");
        assert_eq!((new.gateway.as_deref(), new.ext_reservations.as_deref()), (Some("192.0.2.3"), Some("10010001")));
        assert!(after(|unit| unit.gateway = Some(ip(2))).is_err_and(|text| text.contains("already reserved")), "a NIC has it");
        assert!(after(|unit| unit.gateway = Some(ip(1))).is_ok_and(|(_, told)| told.len() == 1));
    }

    #[test]
    fn reservations_come_and_go() {
        let (new, told) =
            after(|unit| (unit.add_reserved_ips, unit.remove_reserved_ips) = (Some(vec![ip(4), ip(1)]), Some(vec![ip(1), ip(5)])))
                .expect("a change");
        assert_eq!(new.ext_reservations.as_deref(), Some("11001001"));
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(after(|unit| unit.add_reserved_ips = Some(vec![ip(2)])).is_err(), "a NIC has it");
        assert!(after(|unit| unit.add_reserved_ips = Some(vec![ip(99)])).is_err(), "outside");
        assert_eq!(new.reservations.as_deref(), Some("00100000"), "NICs keep theirs");
    }

    #[test]
    fn the_rest() {
        let (new, _) =
            after(|unit| (unit.mac_prefix, unit.gateway6) = (Some("AA:BB:CC".into()), "fe80::1".parse().ok())).expect("a change");
        assert_eq!((new.mac_prefix.as_deref(), new.gateway6.as_deref()), (Some("aa:bb:cc"), Some("fe80::1")));
    }
}
