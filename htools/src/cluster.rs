//! A cluster as it was read: groups, nodes, instances, tags and policy.

use crate::group::Group;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::instance::Instance;
use crate::node::Node;
use crate::policy::Policy;
use crate::tag::Words;

/// All that is known of a cluster, except where instances are at the moment, which is [`State`](crate::State).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cluster {
    /// Node groups, in the order of the input.
    pub groups: Vec<Group>,
    /// Nodes, in the order of the input.
    pub nodes: Vec<Node>,
    /// Instances, in the order of the input.
    pub instances: Vec<Instance>,
    /// Cluster tags.
    pub tags: Vec<String>,
    /// The cluster's own policy; groups have theirs.
    pub policy: Policy,
    /// Tags as numbers.
    pub words: Words,
    /// The number that is printed for the first group and node: 1 in a simulated cluster, else 0.
    pub first_index: usize,
}

/// What was not found by name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Wrong number of elems found with name {name}")]
pub struct NotFound {
    /// The name that was looked for.
    pub name: String,
}

impl Cluster {
    /// The node at `id`.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.at()]
    }

    /// The instance at `id`.
    #[must_use]
    pub fn instance(&self, id: InstanceId) -> &Instance {
        &self.instances[id.at()]
    }

    /// The group at `id`.
    #[must_use]
    pub fn group(&self, id: GroupId) -> &Group {
        &self.groups[id.at()]
    }

    /// All nodes, in order.
    pub fn node_ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (0..self.nodes.len()).map(NodeId::new)
    }

    /// All instances, in order.
    pub fn instance_ids(&self) -> impl DoubleEndedIterator<Item = InstanceId> + ExactSizeIterator + use<> {
        (0..self.instances.len()).map(InstanceId::new)
    }

    /// All groups, in order.
    pub fn group_ids(&self) -> impl DoubleEndedIterator<Item = GroupId> + ExactSizeIterator + use<> {
        (0..self.groups.len()).map(GroupId::new)
    }

    /// Nodes of one group, in order.
    pub fn nodes_of(&self, group: GroupId) -> impl Iterator<Item = NodeId> + '_ {
        self.node_ids().filter(move |id| self.node(*id).group == group)
    }

    /// Groups that have a node, in order.
    #[must_use]
    pub fn groups_with_nodes(&self) -> Vec<GroupId> {
        let mut seen = vec![false; self.groups.len()];
        self.nodes.iter().for_each(|node| seen[node.group.at()] = true);
        self.group_ids().filter(|id| seen[id.at()]).collect()
    }

    /// The group of that name or UUID.
    ///
    /// # Errors
    /// There is not exactly one.
    pub fn find_group(&self, name: &str) -> Result<GroupId, NotFound> {
        let mut found = self.group_ids().filter(|id| self.group(*id).name == name || self.group(*id).uuid == name);
        only(&mut found, name)
    }

    /// The instance of that name or alias.
    ///
    /// # Errors
    /// There is not exactly one.
    pub fn find_instance(&self, name: &str) -> Result<InstanceId, NotFound> {
        let mut found = self.instance_ids().filter(|id| self.instance(*id).name == name || self.instance(*id).alias == name);
        only(&mut found, name)
    }

    /// The node of that name or alias.
    ///
    /// # Errors
    /// There is not exactly one.
    pub fn find_node(&self, name: &str) -> Result<NodeId, NotFound> {
        let mut found = self.node_ids().filter(|id| self.node(*id).name == name || self.node(*id).alias == name);
        only(&mut found, name)
    }

    /// The suffix, from a dot on, that all names of nodes and instances share; empty when there is none.
    #[must_use]
    pub fn common_suffix(&self) -> &str {
        let mut names =
            self.nodes.iter().map(|node| node.name.as_str()).chain(self.instances.iter().map(|instance| instance.name.as_str()));
        let Some(first) = names.next() else { return "" };
        let others: Vec<&str> = names.collect();
        let candidates = first.match_indices('.').map(|(at, _)| &first[at..]);
        candidates.into_iter().find(|suffix| others.iter().all(|name| name.ends_with(suffix))).unwrap_or("")
    }
}

fn only<T>(found: &mut impl Iterator<Item = T>, name: &str) -> Result<T, NotFound> {
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(NotFound { name: name.to_owned() }),
    }
}
