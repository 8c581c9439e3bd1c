//! Ending guests, whatever still answers.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;

use crate::hypervisor::Hypervisors;
use crate::lease::Guest;

/// For one guest: a hypervisor that does not answer must not hold the others up.
const LIMIT: Duration = Duration::from_secs(2);

/// Ends all of them; whether it is certain that none is left.
pub(super) async fn end_all(hypervisors: &Hypervisors, guests: &[Guest]) -> bool {
    let ended = join_all(guests.iter().map(|guest| end(hypervisors, guest))).await;
    let kinds: BTreeSet<&str> = guests.iter().map(|guest| guest.hypervisor.as_str()).collect();
    let mut none_left = ended.into_iter().all(|ended| ended);
    for kind in kinds {
        none_left &= is_gone(hypervisors, kind, guests).await;
    }
    none_left
}

async fn end(hypervisors: &Hypervisors, guest: &Guest) -> bool {
    let Ok(hypervisor) = hypervisors.get(&guest.hypervisor) else {
        tracing::error!(instance = guest.name, hypervisor = guest.hypervisor, "a guest of an unknown hypervisor cannot be ended");
        return false;
    };
    match tokio::time::timeout(LIMIT, hypervisor.end_now(&guest.name, &guest.uuid)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(instance = guest.name, %error, "the guest could not be ended; trying again");
            false
        }
        Err(_) => {
            tracing::error!(instance = guest.name, "the hypervisor does not answer; trying again");
            false
        }
    }
}

async fn is_gone(hypervisors: &Hypervisors, kind: &str, guests: &[Guest]) -> bool {
    let Ok(hypervisor) = hypervisors.get(kind) else { return false };
    match tokio::time::timeout(LIMIT, hypervisor.list()).await {
        Ok(Ok(found)) => {
            let left = found.iter().find(|info| info.state != 0 && guests.iter().any(|guest| guest.uuid == info.uuid));
            left.is_none()
        }
        Ok(Err(error)) => {
            tracing::error!(hypervisor = kind, %error, "it is not known which guests run");
            false
        }
        Err(_) => false,
    }
}
