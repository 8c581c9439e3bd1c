//! The tree of all configuration objects, with its indexes.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::{Cluster, Disk, FilterRule, Instance, Network, Node, NodeGroup};
use crate::error::{ErrorCode, WireError};
use crate::id::{DiskUuid, FilterUuid, GroupUuid, InstanceUuid, NetworkUuid, NodeUuid, is_uuid};
use crate::name::{InstanceName, MatchError, NodeName, match_name_component};
use crate::quantity::Mib;

/// The kinds of configuration objects, spelled as the rows of the state store are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectKind {
    Cluster,
    Node,
    NodeGroup,
    Instance,
    Disk,
    Network,
    Filter,
}

impl ObjectKind {
    /// The row kind.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Node => "node",
            Self::NodeGroup => "nodegroup",
            Self::Instance => "instance",
            Self::Disk => "disk",
            Self::Network => "network",
            Self::Filter => "filter",
        }
    }

    /// The kind that is spelled so; `None` for rows that are not configuration.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Cluster, Self::Node, Self::NodeGroup, Self::Instance, Self::Disk, Self::Network, Self::Filter]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// One configuration object.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    Cluster(Arc<Cluster>),
    Node(Arc<Node>),
    NodeGroup(Arc<NodeGroup>),
    Instance(Arc<Instance>),
    Disk(Arc<Disk>),
    Network(Arc<Network>),
    Filter(Arc<FilterRule>),
}

/// Row id of the only cluster object.
const CLUSTER_ID: &str = "cluster";

impl Object {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ObjectKind {
        match self {
            Self::Cluster(_) => ObjectKind::Cluster,
            Self::Node(_) => ObjectKind::Node,
            Self::NodeGroup(_) => ObjectKind::NodeGroup,
            Self::Instance(_) => ObjectKind::Instance,
            Self::Disk(_) => ObjectKind::Disk,
            Self::Network(_) => ObjectKind::Network,
            Self::Filter(_) => ObjectKind::Filter,
        }
    }

    /// Its row id: the UUID, or `cluster`.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Cluster(_) => CLUSTER_ID,
            Self::Node(node) => node.uuid.as_str(),
            Self::NodeGroup(group) => group.uuid.as_str(),
            Self::Instance(instance) => instance.uuid.as_str(),
            Self::Disk(disk) => disk.uuid.as_str(),
            Self::Network(network) => network.uuid.as_str(),
            Self::Filter(filter) => filter.uuid.as_str(),
        }
    }

    /// Its JSON, as in `config.data`.
    ///
    /// # Errors
    /// When a float is not finite.
    pub fn to_json(&self) -> serde_json::Result<String> {
        match self {
            Self::Cluster(object) => serde_json::to_string(object),
            Self::Node(object) => serde_json::to_string(object),
            Self::NodeGroup(object) => serde_json::to_string(object),
            Self::Instance(object) => serde_json::to_string(object),
            Self::Disk(object) => serde_json::to_string(object),
            Self::Network(object) => serde_json::to_string(object),
            Self::Filter(object) => serde_json::to_string(object),
        }
    }

    /// Reads the JSON of an object of `kind`.
    ///
    /// # Errors
    /// When it is not one.
    pub fn from_json(kind: ObjectKind, json: &str) -> serde_json::Result<Self> {
        Ok(match kind {
            ObjectKind::Cluster => Self::Cluster(Arc::new(serde_json::from_str(json)?)),
            ObjectKind::Node => Self::Node(Arc::new(serde_json::from_str(json)?)),
            ObjectKind::NodeGroup => Self::NodeGroup(Arc::new(serde_json::from_str(json)?)),
            ObjectKind::Instance => Self::Instance(Arc::new(serde_json::from_str(json)?)),
            ObjectKind::Disk => Self::Disk(Arc::new(serde_json::from_str(json)?)),
            ObjectKind::Network => Self::Network(Arc::new(serde_json::from_str(json)?)),
            ObjectKind::Filter => Self::Filter(Arc::new(serde_json::from_str(json)?)),
        })
    }
}

/// A name that leads to no object, or to several.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// No such object.
    #[error("{kind} '{name}' not known")]
    Unknown {
        /// `Node`, `Instance`, `Node group`, `Network`, `Disk`.
        kind: &'static str,
        /// What was asked for.
        name: String,
    },
    /// A short name that fits several.
    #[error("{kind} name '{name}' is ambiguous: {}", candidates.join(", "))]
    Ambiguous {
        /// As above.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// What it could mean.
        candidates: Vec<String>,
    },
}

impl From<LookupError> for WireError {
    fn from(error: LookupError) -> Self {
        let code = match error {
            LookupError::Unknown { .. } => ErrorCode::NoEntity,
            LookupError::Ambiguous { .. } => ErrorCode::Invalid,
        };
        Self::prereq(error.to_string(), code)
    }
}

/// A consistent picture of the whole configuration.
#[derive(Debug, Clone, Default)]
pub struct Config {
    cluster: Option<Arc<Cluster>>,
    nodes: OrdMap<NodeUuid, Arc<Node>>,
    groups: OrdMap<GroupUuid, Arc<NodeGroup>>,
    instances: OrdMap<InstanceUuid, Arc<Instance>>,
    disks: OrdMap<DiskUuid, Arc<Disk>>,
    networks: OrdMap<NetworkUuid, Arc<Network>>,
    filters: OrdMap<FilterUuid, Arc<FilterRule>>,
    node_names: OrdMap<NodeName, NodeUuid>,
    instance_names: OrdMap<InstanceName, InstanceUuid>,
    primaries: OrdMap<NodeUuid, OrdSet<InstanceUuid>>,
    instance_of_disk: OrdMap<DiskUuid, InstanceUuid>,
}

impl Config {
    /// Whether the cluster object is there: false before the first dump arrived.
    #[must_use]
    pub fn is_initialised(&self) -> bool {
        self.cluster.is_some()
    }

    /// The cluster's settings.
    ///
    /// # Panics
    /// Before the cluster object was put: nothing that serves clients runs then.
    #[must_use]
    pub fn cluster(&self) -> &Arc<Cluster> {
        self.cluster.as_ref().expect("the cluster object is put by bootstrap, before anything can ask")
    }

    /// Puts an object in, new or in place of its older state.
    pub fn put(&mut self, object: Object) {
        match object {
            Object::Cluster(cluster) => self.cluster = Some(cluster),
            Object::Node(node) => {
                if let Some(old) = self.nodes.get(&node.uuid) {
                    self.node_names.remove(&old.name);
                }
                self.node_names.insert(node.name.clone(), node.uuid.clone());
                self.nodes.insert(node.uuid.clone(), node);
            }
            Object::NodeGroup(group) => {
                self.groups.insert(group.uuid.clone(), group);
            }
            Object::Instance(instance) => {
                self.forget_instance(instance.uuid.as_str());
                self.instance_names.insert(instance.name.clone(), instance.uuid.clone());
                self.primaries.entry(instance.primary_node.clone()).or_default().insert(instance.uuid.clone());
                for disk in &instance.disks {
                    self.instance_of_disk.insert(disk.clone(), instance.uuid.clone());
                }
                self.instances.insert(instance.uuid.clone(), instance);
            }
            Object::Disk(disk) => {
                self.disks.insert(disk.uuid.clone(), disk);
            }
            Object::Network(network) => {
                self.networks.insert(network.uuid.clone(), network);
            }
            Object::Filter(filter) => {
                self.filters.insert(filter.uuid.clone(), filter);
            }
        }
    }

    /// Takes an object out; nothing happens when it is not there.
    pub fn remove(&mut self, kind: ObjectKind, id: &str) {
        match kind {
            ObjectKind::Cluster => self.cluster = None,
            ObjectKind::Node => {
                if let Some(node) = self.nodes.remove(id) {
                    self.node_names.remove(&node.name);
                }
            }
            ObjectKind::NodeGroup => {
                self.groups.remove(id);
            }
            ObjectKind::Instance => {
                self.forget_instance(id);
                self.instances.remove(id);
            }
            ObjectKind::Disk => {
                self.disks.remove(id);
            }
            ObjectKind::Network => {
                self.networks.remove(id);
            }
            ObjectKind::Filter => {
                self.filters.remove(id);
            }
        }
    }

    /// The object of this kind and row id.
    #[must_use]
    pub fn object(&self, kind: ObjectKind, id: &str) -> Option<Object> {
        match kind {
            ObjectKind::Cluster => self.cluster.clone().map(Object::Cluster),
            ObjectKind::Node => self.nodes.get(id).cloned().map(Object::Node),
            ObjectKind::NodeGroup => self.groups.get(id).cloned().map(Object::NodeGroup),
            ObjectKind::Instance => self.instances.get(id).cloned().map(Object::Instance),
            ObjectKind::Disk => self.disks.get(id).cloned().map(Object::Disk),
            ObjectKind::Network => self.networks.get(id).cloned().map(Object::Network),
            ObjectKind::Filter => self.filters.get(id).cloned().map(Object::Filter),
        }
    }

    fn forget_instance(&mut self, uuid: &str) {
        let Some(old) = self.instances.get(uuid) else { return };
        self.instance_names.remove(&old.name);
        if let Some(set) = self.primaries.get_mut(&old.primary_node) {
            set.remove(uuid);
        }
        for disk in &old.disks {
            self.instance_of_disk.remove(disk);
        }
    }

    /// All nodes, by UUID.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &Arc<Node>> {
        self.nodes.values()
    }

    /// All node groups, by UUID.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &Arc<NodeGroup>> {
        self.groups.values()
    }

    /// All instances, by name.
    pub fn instances(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.instance_names.values().filter_map(|uuid| self.instances.get(uuid))
    }

    /// How many instances there are.
    #[must_use]
    pub fn instance_count(&self) -> usize {
        self.instances.len()
    }

    /// All disks, by UUID.
    pub fn disks(&self) -> impl ExactSizeIterator<Item = &Arc<Disk>> {
        self.disks.values()
    }

    /// All networks, by UUID.
    pub fn networks(&self) -> impl ExactSizeIterator<Item = &Arc<Network>> {
        self.networks.values()
    }

    /// All job filter rules, by UUID.
    pub fn filters(&self) -> impl ExactSizeIterator<Item = &Arc<FilterRule>> {
        self.filters.values()
    }

    /// The node with this UUID.
    #[must_use]
    pub fn node(&self, uuid: &NodeUuid) -> Option<&Arc<Node>> {
        self.nodes.get(uuid)
    }

    /// The group with this UUID.
    #[must_use]
    pub fn group(&self, uuid: &GroupUuid) -> Option<&Arc<NodeGroup>> {
        self.groups.get(uuid)
    }

    /// The instance with this UUID.
    #[must_use]
    pub fn instance(&self, uuid: &InstanceUuid) -> Option<&Arc<Instance>> {
        self.instances.get(uuid)
    }

    /// The disk with this UUID.
    #[must_use]
    pub fn disk(&self, uuid: &DiskUuid) -> Option<&Arc<Disk>> {
        self.disks.get(uuid)
    }

    /// The network with this UUID.
    #[must_use]
    pub fn network(&self, uuid: &NetworkUuid) -> Option<&Arc<Network>> {
        self.networks.get(uuid)
    }

    /// The filter rule with this UUID.
    #[must_use]
    pub fn filter(&self, uuid: &FilterUuid) -> Option<&Arc<FilterRule>> {
        self.filters.get(uuid)
    }

    /// The master's node object.
    #[must_use]
    pub fn master(&self) -> Option<&Arc<Node>> {
        self.nodes.get(&self.cluster().master_node)
    }

    /// The node that `name` means: UUID, whole name or unambiguous short name.
    ///
    /// # Errors
    /// [`LookupError`].
    pub fn find_node(&self, name: &str) -> Result<&Arc<Node>, LookupError> {
        if is_uuid(name)
            && let Some(node) = self.nodes.get(name)
        {
            return Ok(node);
        }
        let full = lookup(
            "Node",
            name,
            self.node_names.get(name.to_ascii_lowercase().as_str()).map(|_| ()),
            self.node_names.keys().map(NodeName::as_str),
        )?;
        self.node_names.get(full.as_str()).and_then(|uuid| self.nodes.get(uuid)).ok_or_else(|| unknown("Node", name))
    }

    /// The instance that `name` means: UUID, whole name or unambiguous short name.
    ///
    /// # Errors
    /// [`LookupError`].
    pub fn find_instance(&self, name: &str) -> Result<&Arc<Instance>, LookupError> {
        if is_uuid(name)
            && let Some(instance) = self.instances.get(name)
        {
            return Ok(instance);
        }
        let lower = name.to_ascii_lowercase();
        let full = lookup(
            "Instance",
            name,
            self.instance_names.get(lower.as_str()).map(|_| ()),
            self.instance_names.keys().map(InstanceName::as_str),
        )?;
        self.instance_names.get(full.as_str()).and_then(|uuid| self.instances.get(uuid)).ok_or_else(|| unknown("Instance", name))
    }

    /// The group that `name` means: UUID or name.
    ///
    /// # Errors
    /// [`LookupError::Unknown`].
    pub fn find_group(&self, name: &str) -> Result<&Arc<NodeGroup>, LookupError> {
        self.groups.get(name).or_else(|| self.groups.values().find(|group| group.name == name)).ok_or_else(|| unknown("Node group", name))
    }

    /// The network that `name` means: UUID or name.
    ///
    /// # Errors
    /// [`LookupError::Unknown`].
    pub fn find_network(&self, name: &str) -> Result<&Arc<Network>, LookupError> {
        self.networks
            .get(name)
            .or_else(|| self.networks.values().find(|network| network.name == name))
            .ok_or_else(|| unknown("Network", name))
    }

    /// Whether the instances and their disks are the very same values as in `other`, in memory. Takes no time.
    #[must_use]
    pub fn has_same_instances(&self, other: &Self) -> bool {
        self.instances.ptr_eq(&other.instances) && self.disks.ptr_eq(&other.disks)
    }

    /// Whether all that instances inherit from or refer to (cluster, nodes, groups, networks) is the very same as in
    /// `other`, in memory. Takes no time.
    #[must_use]
    pub fn has_same_surroundings(&self, other: &Self) -> bool {
        let same_cluster = match (&self.cluster, &other.cluster) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        };
        same_cluster && self.nodes.ptr_eq(&other.nodes) && self.groups.ptr_eq(&other.groups) && self.networks.ptr_eq(&other.networks)
    }

    /// The nodes of a group, by UUID.
    pub fn nodes_of_group<'a>(&'a self, group: &'a GroupUuid) -> impl Iterator<Item = &'a Arc<Node>> {
        self.nodes.values().filter(move |node| node.group == *group)
    }

    /// Instances whose primary node this is.
    pub fn primary_instances<'a>(&'a self, node: &NodeUuid) -> impl Iterator<Item = &'a Arc<Instance>> + use<'a> {
        self.primaries.get(node).into_iter().flatten().filter_map(|uuid| self.instances.get(uuid))
    }

    /// Instances of which this node holds the second copy.
    pub fn secondary_instances<'a>(&'a self, node: &'a NodeUuid) -> impl Iterator<Item = &'a Arc<Instance>> {
        self.instances().filter(move |instance| self.secondary_nodes(instance).any(|secondary| secondary == node))
    }

    /// The disks of an instance, in order. A disk that is missing from the configuration is left out.
    pub fn disks_of<'a>(&'a self, instance: &'a Instance) -> impl Iterator<Item = &'a Arc<Disk>> {
        instance.disks.iter().filter_map(|uuid| self.disks.get(uuid))
    }

    /// The instance that a disk belongs to.
    #[must_use]
    pub fn owner_of_disk(&self, disk: &DiskUuid) -> Option<&Arc<Instance>> {
        self.instance_of_disk.get(disk).and_then(|uuid| self.instances.get(uuid))
    }

    /// The nodes that hold copies of an instance's disks, its primary left out, without repetition.
    pub fn secondary_nodes<'a>(&'a self, instance: &'a Instance) -> impl Iterator<Item = &'a NodeUuid> {
        let mut seen: Vec<&NodeUuid> = Vec::new();
        self.disks_of(instance).flat_map(|disk| disk.nodes.iter()).filter(move |node| {
            let new = **node != instance.primary_node && !seen.contains(node);
            if new {
                seen.push(node);
            }
            new
        })
    }

    /// The disk template of an instance: that of its disks, `diskless` without any, `mixed` when they differ.
    #[must_use]
    pub fn disk_template<'a>(&'a self, instance: &'a Instance) -> &'a str {
        let mut templates = self.disks_of(instance).map(|disk| disk.dev_type.as_str());
        match templates.next() {
            None => "diskless",
            Some(first) if templates.all(|other| other == first) => first,
            Some(_) => "mixed",
        }
    }

    /// The sum of the sizes of an instance's disks.
    #[must_use]
    pub fn disk_total(&self, instance: &Instance) -> Mib {
        self.disks_of(instance).map(|disk| disk.size).sum()
    }
}

fn unknown(kind: &'static str, name: &str) -> LookupError {
    LookupError::Unknown { kind, name: name.to_owned() }
}

/// The whole name first (a look-up in the index), the short one only after that (a walk over all names).
fn lookup<'a>(kind: &'static str, name: &str, exact: Option<()>, names: impl Iterator<Item = &'a str>) -> Result<String, LookupError> {
    if exact.is_some() {
        return Ok(name.to_ascii_lowercase());
    }
    match match_name_component(name, names) {
        Ok(full) => Ok(full.to_owned()),
        Err(MatchError::None) => Err(unknown(kind, name)),
        Err(MatchError::Several(candidates)) => Err(LookupError::Ambiguous { kind, name: name.to_owned(), candidates }),
    }
}
