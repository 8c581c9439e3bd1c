//! Which instances have automatic failover, by node; reckoned anew when the configuration has changed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use gannet_core::auto_failover;
use gannet_core::config::{AdminState, Config};
use gannet_core::id::NodeUuid;
use gannet_proto::node::InstanceRef;

use crate::rule::spec;
use crate::store::State;

/// At most this often: it looks at all instances.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Wanted {
    index: u64,
    at: Duration,
    used: bool,
    /// By UUID, so that messages have an order.
    by_node: HashMap<NodeUuid, BTreeMap<String, InstanceRef>>,
    /// Nodes with one that should run.
    running: HashSet<NodeUuid>,
    all: HashSet<String>,
}

impl Wanted {
    pub(super) fn follow(&mut self, state: &State, now: Duration) {
        let is_new = self.index == 0;
        if self.index == state.index || (!is_new && now.saturating_sub(self.at) < EVERY) {
            return;
        }
        *self = Self::of(&state.config);
        (self.index, self.at) = (state.index, now);
    }

    fn of(config: &Config) -> Self {
        let mut wanted = Self { used: auto_failover::is_used(config), ..Self::default() };
        if !wanted.used {
            return wanted;
        }
        for instance in config.instances().filter(|instance| auto_failover::is_on(config, instance)) {
            let node = instance.primary_node.clone();
            if instance.admin_state == AdminState::Up {
                wanted.running.insert(node.clone());
            }
            wanted.all.insert(instance.uuid.to_string());
            wanted.by_node.entry(node).or_default().insert(instance.uuid.to_string(), spec::instance_ref(instance));
        }
        wanted
    }

    /// Whether anything is switched on.
    pub(super) fn is_used(&self) -> bool {
        self.used
    }

    /// Those whose primary node it is.
    pub(super) fn on(&self, node: &NodeUuid) -> impl Iterator<Item = &InstanceRef> {
        self.by_node.get(node).into_iter().flat_map(BTreeMap::values)
    }

    /// Whether one of them should run.
    pub(super) fn runs(&self, node: &NodeUuid) -> bool {
        self.running.contains(node)
    }

    /// Whether the instance with this UUID has automatic failover, on whichever node.
    pub(super) fn has(&self, uuid: &str) -> bool {
        self.all.contains(uuid)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gannet_core::config::{Disk, Instance, Object};

    use super::*;
    use crate::rule::sample;

    fn config(template: &str, tag: &str) -> Config {
        let mut config = sample::config();
        let tags = std::collections::BTreeSet::from([tag.parse().unwrap()]);
        config.put(Object::Disk(Arc::new(Disk { dev_type: template.to_owned(), ..sample::disk(1, 1) })));
        config.put(Object::Instance(Arc::new(Instance { tags, ..sample::instance(1, 1) })));
        config
    }

    #[test]
    fn only_instances_that_another_node_can_run_are_meant() {
        let (first, other) = (sample::node(1).uuid, sample::node(2).uuid);
        let on = Wanted::of(&config("sharedfile", "gannet:auto-failover:yes"));
        assert!(on.is_used() && on.runs(&first) && !on.runs(&other));
        assert_eq!(on.on(&first).count(), 1);
        assert!(on.has(sample::instance(1, 1).uuid.as_str()));
        let local = Wanted::of(&config("file", "gannet:auto-failover:yes"));
        assert!(local.is_used() && !local.runs(&first), "its disks are on the dead node");
        assert!(!Wanted::of(&config("sharedfile", "web")).is_used());
    }
}
