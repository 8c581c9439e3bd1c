//! The master address: brought up when this node becomes the master, and kept up.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use gannet_core::config::Config;
use gannet_core::id::NodeUuid;
use gannet_proto::node::MasterIpRequest;
use tokio::sync::watch;

use crate::master::Master;

/// Between two tries while the node daemon does not answer.
const RETRY: Duration = Duration::from_secs(2);

/// Between two tries to reach other candidates.
const REST: Duration = Duration::from_secs(10);
/// Others get this long before the address is taken in spite of them.
const POLITE: Duration = Duration::from_secs(1);

/// What a node needs to take or give up the master address.
#[must_use]
pub fn request(config: &Config) -> MasterIpRequest {
    let cluster = config.cluster();
    MasterIpRequest {
        ip: cluster.master_ip.clone(),
        netdev: cluster.master_netdev.clone(),
        netmask: cluster.master_netmask.into(),
        external_script: cluster.use_external_mip_script,
        family: cluster.primary_ip_family.into(),
    }
}

/// Brings the address up on this node; tries again until the node daemon has done it. Other candidates that may still have it
/// from a time when they were the master are told to give it up, as soon as they can be reached.
pub async fn serve(master: Arc<Master>, mut stopping: watch::Receiver<bool>) {
    let up = async {
        let mut complained = false;
        let mut others = other_candidates(&master.store().state().config);
        // Before it is taken here: two machines must not answer for one address.
        take_from(&master, &mut others).await;
        loop {
            let state = master.store().state();
            let outcome = match master.node(&state.config.cluster().master_node) {
                Ok(node) => node.master_ip_start(request(&state.config)).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(_) => break,
                Err(error) if !complained => {
                    tracing::warn!(%error, "the master address is not up yet; trying again");
                    complained = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(RETRY).await;
        }
        while !others.is_empty() {
            take_from(&master, &mut others).await;
            tokio::time::sleep(REST).await;
        }
    };
    tokio::select! {
        () = up => {}
        _ = stopping.wait_for(|end| *end) => return,
    }
    let _ = stopping.wait_for(|end| *end).await;
}

fn other_candidates(config: &Config) -> Vec<NodeUuid> {
    let own = &config.cluster().master_node;
    config.nodes().filter(|node| node.master_candidate && !node.offline && node.uuid != *own).map(|node| node.uuid.clone()).collect()
}

/// Keeps those that did not answer.
async fn take_from(master: &Master, others: &mut Vec<NodeUuid>) {
    let state = master.store().state();
    let ask = |uuid: NodeUuid| {
        let request = request(&state.config);
        async move {
            let given_up = async { master.node(&uuid)?.master_ip_stop(request).await };
            let answered = matches!(tokio::time::timeout(POLITE, given_up).await, Ok(Ok(_)));
            (!answered && state_has(master, &uuid)).then_some(uuid)
        }
    };
    *others = join_all(std::mem::take(others).into_iter().map(ask)).await.into_iter().flatten().collect();
}

/// Whether the node is still there to be asked.
fn state_has(master: &Master, uuid: &NodeUuid) -> bool {
    master.store().state().config.node(uuid).is_some_and(|node| !node.offline)
}
