//! The guests of nodes, found by instance.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use gannet_core::config::Instance;
use gannet_core::id::{InstanceUuid, NodeUuid};
use gannet_proto::node::{ConsoleInfo, InstanceInfo, InstanceListReply};

use super::Answers;
use crate::query::instance_runs;

/// The guests of one node.
#[derive(Debug, Default)]
pub(crate) struct NodeGuests {
    by_uuid: HashMap<String, InstanceInfo>,
    /// Those of which the hypervisor does not know the UUID.
    by_name: HashMap<String, InstanceInfo>,
    silent_hypervisors: HashSet<String>,
}

impl NodeGuests {
    pub(crate) fn new(reply: InstanceListReply) -> Self {
        let mut guests = Self { silent_hypervisors: reply.errors.into_keys().collect(), ..Self::default() };
        guests.by_uuid.reserve(reply.instances.len());
        for info in reply.instances {
            if info.uuid.is_empty() {
                guests.by_name.insert(info.name.clone(), info);
            } else {
                guests.by_uuid.insert(info.uuid.clone(), info);
            }
        }
        guests
    }

    /// Whether the node could not ask this hypervisor.
    pub(crate) fn is_silent(&self, hypervisor: &str) -> bool {
        self.silent_hypervisors.contains(hypervisor)
    }

    /// What the node says of the instance.
    pub(crate) fn find(&self, instance: &Instance) -> Option<&InstanceInfo> {
        self.by_uuid.get(instance.uuid.as_str()).or_else(|| self.by_name.get(instance.name.as_str()))
    }

    fn running(&self) -> impl Iterator<Item = &InstanceInfo> {
        self.by_uuid.values().chain(self.by_name.values()).filter(|info| instance_runs(info))
    }
}

/// The guests of all nodes that answered.
#[derive(Debug, Default)]
pub(crate) struct Guests {
    by_node: Answers<NodeGuests>,
    /// UUID or name of what runs, and where; made when an instance is not where it should be.
    running: OnceLock<HashMap<String, NodeUuid>>,
    consoles: HashMap<InstanceUuid, ConsoleInfo>,
}

impl Guests {
    pub(crate) fn new(by_node: Answers<NodeGuests>) -> Self {
        Self { by_node, ..Self::default() }
    }

    /// What a node said; `None` when it did not answer.
    pub(crate) fn of_node(&self, node: &NodeUuid) -> Option<&NodeGuests> {
        self.by_node.get(node).map(AsRef::as_ref)
    }

    /// The instance on any node. To be asked when it does not run on its primary node.
    pub(crate) fn elsewhere(&self, instance: &Instance) -> Option<&InstanceInfo> {
        let running = self.running.get_or_init(|| {
            let id = |info: &InstanceInfo| if info.uuid.is_empty() { info.name.clone() } else { info.uuid.clone() };
            self.by_node.iter().flat_map(|(node, guests)| guests.running().map(move |info| (id(info), node.clone()))).collect()
        });
        let node = running.get(instance.uuid.as_str()).or_else(|| running.get(instance.name.as_str()))?;
        self.of_node(node)?.find(instance)
    }

    pub(super) fn runs_on_primary(&self, instance: &Instance) -> bool {
        self.of_node(&instance.primary_node).and_then(|guests| guests.find(instance)).is_some_and(instance_runs)
    }

    pub(super) fn set_consoles(&mut self, consoles: HashMap<InstanceUuid, ConsoleInfo>) {
        self.consoles = consoles;
    }

    /// The console, if it was asked for and the node answered.
    pub(crate) fn console(&self, instance: &Instance) -> Option<&ConsoleInfo> {
        self.consoles.get(&instance.uuid)
    }
}
