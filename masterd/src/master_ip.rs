//! The master address: brought up when this node becomes the master, and kept up.

use std::sync::Arc;
use std::time::Duration;

use gannet_core::config::Config;
use gannet_proto::node::MasterIpRequest;
use tokio::sync::watch;

use crate::master::Master;

/// Between two tries while the node daemon does not answer.
const RETRY: Duration = Duration::from_secs(2);

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

/// Brings the address up on this node; tries again until the node daemon has done it, then rests.
pub async fn serve(master: Arc<Master>, mut stopping: watch::Receiver<bool>) {
    let up = async {
        let mut complained = false;
        loop {
            let state = master.store().state();
            let outcome = match master.node(&state.config.cluster().master_node) {
                Ok(node) => node.master_ip_start(request(&state.config)).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(_) => return,
                Err(error) if !complained => {
                    tracing::warn!(%error, "the master address is not up yet; trying again");
                    complained = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(RETRY).await;
        }
    };
    tokio::select! {
        () = up => {}
        _ = stopping.wait_for(|end| *end) => return,
    }
    let _ = stopping.wait_for(|end| *end).await;
}
