//! The whole cluster, as placement sees it.

use gannet_core::param::AllocPolicy;
use gannet_core::param::ipolicy::IPolicy;

use crate::legacy::instance::Instance;
use crate::legacy::node::{Node, Nodes};

/// A node group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Whether new instances may go there.
    pub alloc_policy: AllocPolicy,
    /// Its instance policy, filled.
    pub policy: IPolicy,
}

/// Groups, nodes and instances. Objects refer to each other by their position.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Node groups.
    pub groups: Vec<Group>,
    /// Nodes with what they carry.
    pub nodes: Nodes,
    /// Instances that are placed.
    pub instances: Vec<Instance>,
    /// Prefixes of tags of which a node should hold only one each.
    pub exclusion_prefixes: Vec<String>,
}

/// Data that refers to what is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A node's group.
    #[error("node {0} belongs to a group that is not in the data")]
    Group(String),
    /// An instance's node.
    #[error("instance {0} is on a node that is not in the data")]
    Node(String),
}

/// Tags of the cluster that begin so name prefixes of exclusion tags (Ganeti: `htools:iextags:`).
pub const EXCLUSION_TAG: &str = "htools:iextags:";

impl Cluster {
    /// Puts a cluster together. `tags` are those of the cluster object.
    ///
    /// # Errors
    /// [`Error`] when something refers to what is not there.
    pub fn new<'a>(
        groups: Vec<Group>,
        nodes: Vec<Node>,
        instances: Vec<Instance>,
        tags: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Error> {
        let exclusion_prefixes = tags.into_iter().filter_map(|tag| tag.strip_prefix(EXCLUSION_TAG)).map(str::to_owned).collect();
        let mut cluster = Self { groups, nodes: Nodes::default(), instances: Vec::with_capacity(instances.len()), exclusion_prefixes };
        for node in nodes {
            if node.group >= cluster.groups.len() {
                return Err(Error::Group(node.name));
            }
            cluster.nodes.push(node);
        }
        for instance in instances {
            cluster.check(&instance)?;
            cluster.nodes.add(&instance, &cluster.exclusion_prefixes, false);
            cluster.instances.push(instance);
        }
        cluster.nodes.settle_missing();
        Ok(cluster)
    }

    /// Adds an instance that was just placed.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub fn place(&mut self, instance: Instance) -> Result<(), Error> {
        self.check(&instance)?;
        self.nodes.add(&instance, &self.exclusion_prefixes, true);
        self.instances.push(instance);
        Ok(())
    }

    /// Moves the primary of an instance on shared storage, or of one whose disks move with it.
    ///
    /// # Errors
    /// [`Error::Node`] when there is no such node.
    ///
    /// # Panics
    /// When there is no such instance.
    pub fn move_primary(&mut self, instance: usize, node: usize) -> Result<(), Error> {
        let moved = Instance { primary: node, secondary: None, ..self.instances[instance].clone() };
        self.check(&moved)?;
        self.nodes.remove_primary(&self.instances[instance], &self.exclusion_prefixes);
        self.nodes.add(&moved, &self.exclusion_prefixes, true);
        self.instances[instance].primary = node;
        Ok(())
    }

    /// The position of an instance.
    #[must_use]
    pub fn find_instance(&self, name: &str) -> Option<usize> {
        self.instances.iter().position(|instance| instance.name == name)
    }

    /// The position of a node.
    #[must_use]
    pub fn find_node(&self, name: &str) -> Option<usize> {
        self.nodes.name.iter().position(|other| other == name)
    }

    /// The position of a group.
    #[must_use]
    pub fn find_group(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name == name)
    }

    fn check(&self, instance: &Instance) -> Result<(), Error> {
        let known = |node: usize| node < self.nodes.len();
        if known(instance.primary) && instance.secondary.is_none_or(known) { Ok(()) } else { Err(Error::Node(instance.name.clone())) }
    }
}
