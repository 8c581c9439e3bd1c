//! The object that a tag opcode is about.

use std::sync::Arc;

use gannet_core::auto_failover::{self, Bearer};
use gannet_core::config::{Config, Object};
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::TagKind;
use gannet_core::tag::{MAX_TAGS_PER_OBJECT, Tag, TagSet};

use crate::refusal::Refusal;

/// Finds the object.
pub(super) fn find(config: &Config, kind: TagKind, name: Option<&str>) -> Result<Object, Refusal> {
    let name = || {
        name.filter(|name| !name.is_empty()).ok_or_else(|| Refusal::invalid(format!("A {kind} is needed by name to work with its tags")))
    };
    Ok(match kind {
        TagKind::Cluster => Object::Cluster(config.cluster().clone()),
        TagKind::Node => Object::Node(config.find_node(name()?)?.clone()),
        TagKind::NodeGroup => Object::NodeGroup(config.find_group(name()?)?.clone()),
        TagKind::Instance => Object::Instance(config.find_instance(name()?)?.clone()),
        TagKind::Network => Object::Network(config.find_network(name()?)?.clone()),
    })
}

/// The lock of the object; the cluster has only the big one (`parity/opcodes.json`: lock_model).
pub(super) fn locks(config: &Config, kind: TagKind, name: Option<&str>) -> Result<LockSet, Refusal> {
    let set = LockSet::shared_cluster();
    Ok(match find(config, kind, name)? {
        Object::Node(node) => set.exclusive(Lock::Node(node.uuid.clone())),
        Object::NodeGroup(group) => set.exclusive(Lock::Group(group.uuid.clone())),
        Object::Instance(instance) => set.exclusive(Lock::Instance(instance.name.clone())),
        Object::Network(network) => set.exclusive(Lock::Network(network.uuid.clone())),
        Object::Cluster(_) | Object::Disk(_) | Object::Filter(_) => set,
    })
}

/// Its tags.
pub(super) fn tags(object: &Object) -> TagSet {
    match object {
        Object::Cluster(cluster) => cluster.tags.clone(),
        Object::Node(node) => node.tags.clone(),
        Object::NodeGroup(group) => group.tags.clone(),
        Object::Instance(instance) => instance.tags.clone(),
        Object::Network(network) => network.tags.clone(),
        Object::Disk(_) | Object::Filter(_) => TagSet::new(),
    }
}

/// The same object with other tags.
pub(super) fn with_tags(mut object: Object, tags: TagSet) -> Object {
    match &mut object {
        Object::Cluster(cluster) => Arc::make_mut(cluster).tags = tags,
        Object::Node(node) => Arc::make_mut(node).tags = tags,
        Object::NodeGroup(group) => Arc::make_mut(group).tags = tags,
        Object::Instance(instance) => Arc::make_mut(instance).tags = tags,
        Object::Network(network) => Arc::make_mut(network).tags = tags,
        Object::Disk(_) | Object::Filter(_) => {}
    }
    object
}

/// Reads tags from a client.
pub(super) fn parse(texts: &[String]) -> Result<TagSet, Refusal> {
    texts.iter().map(|text| text.parse::<Tag>().map_err(|error| Refusal::invalid(format!("{error}: '{text}'")))).collect()
}

/// Refuses settings of automatic failover that mean nothing on this object.
pub(super) fn check_settings(object: &Object, tags: &TagSet) -> Result<(), Refusal> {
    let bearer = match object {
        Object::Cluster(_) => Bearer::Cluster,
        Object::NodeGroup(_) => Bearer::Group,
        Object::Instance(_) => Bearer::Instance,
        Object::Node(_) | Object::Network(_) | Object::Disk(_) | Object::Filter(_) => Bearer::Other,
    };
    auto_failover::check(bearer, tags).map_err(Refusal::invalid)
}

/// Refuses more than [`MAX_TAGS_PER_OBJECT`].
pub(super) fn check_count(tags: &TagSet) -> Result<(), Refusal> {
    if tags.len() > MAX_TAGS_PER_OBJECT {
        return Err(Refusal::invalid(format!("Too many tags: an object can have {MAX_TAGS_PER_OBJECT}")));
    }
    Ok(())
}
