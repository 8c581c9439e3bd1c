//! What every call of the agent may use: paths, names, and the few registries that live as long as the process.

use std::net::IpAddr;
use std::sync::Arc;

use gannet_core::paths::Paths;
use tokio::sync::Notify;

use crate::address;
use crate::epoch::Epoch;
use crate::hypervisor::{Hypervisors, InstanceLocks};
use crate::lease;
use crate::peer::Peers;
use crate::ticket::Tickets;

/// Handles to everything shared by calls; cheap to clone (for tasks that outlive their call).
#[derive(Clone)]
pub struct Context {
    /// Ganeti's paths, below the virtual root if there is one (`paths.root()`).
    pub paths: Paths,
    /// This node's name, as the cluster knows it.
    pub node_name: Arc<str>,
    /// The highest epoch seen, on disk.
    pub epoch: Arc<Epoch>,
    /// Permissions for single calls between nodes.
    pub tickets: Arc<Tickets>,
    /// Connections to the agents of other nodes.
    pub peers: Arc<Peers>,
    /// The hypervisors that this agent knows, by name.
    pub hypervisors: Arc<Hypervisors>,
    /// One mutex per instance: two calls about one instance never interleave.
    pub instance_locks: Arc<InstanceLocks>,
    /// The keeper of this node's lease.
    pub lease: lease::Client,
    /// Notified when this node has left its cluster: the agent ends after answering.
    pub left_cluster: Arc<Notify>,
}

impl Context {
    /// A context for the node `node_name`. Reads nothing yet except the stored epoch.
    ///
    /// # Errors
    /// When the stored epoch cannot be read.
    pub fn new(paths: Paths, node_name: &str) -> Result<Self, crate::epoch::Error> {
        Ok(Self {
            epoch: Arc::new(Epoch::load(&paths)?),
            tickets: Arc::new(Tickets::default()),
            peers: Arc::new(Peers::new(paths.clone())),
            hypervisors: Arc::new(Hypervisors::new(&paths, node_name)),
            instance_locks: Arc::new(InstanceLocks::default()),
            lease: lease::Client::new(&paths),
            left_cluster: Arc::new(Notify::new()),
            node_name: Arc::from(node_name),
            paths,
        })
    }

    /// This node's primary address: `ssconf_node_primary_ips`, then the node's hosts file, then the resolver.
    #[must_use]
    pub fn primary_ip(&self) -> Option<IpAddr> {
        address::primary_ip(&self.paths, &self.node_name)
    }

    /// The address for replication and migration traffic; the primary one when the node has no other.
    #[must_use]
    pub fn secondary_ip(&self) -> Option<IpAddr> {
        address::secondary_ip(&self.paths, &self.node_name).or_else(|| self.primary_ip())
    }
}
