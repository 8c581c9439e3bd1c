//! Clusters for tests and for the bench.

use std::sync::Arc;

use gannet_core::config::{Config, Object, ObjectKind};
use serde_json::Value;

/// The example configuration of the contract: three nodes, two instances, a network, a filter.
pub(crate) fn config() -> Config {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../qa/parity/examples/config.data.json")).unwrap();
    from_json(&serde_json::from_str(&text).unwrap())
}

/// A configuration in the form of `config.data`.
pub(crate) fn from_json(data: &Value) -> Config {
    let mut config = Config::default();
    config.put(Object::from_json(ObjectKind::Cluster, &data["cluster"].to_string()).unwrap());
    let kinds = [
        ("nodes", ObjectKind::Node),
        ("nodegroups", ObjectKind::NodeGroup),
        ("disks", ObjectKind::Disk),
        ("instances", ObjectKind::Instance),
        ("networks", ObjectKind::Network),
        ("filters", ObjectKind::Filter),
    ];
    for (key, kind) in kinds {
        for object in data[key].as_object().unwrap().values() {
            config.put(Object::from_json(kind, &object.to_string()).unwrap());
        }
    }
    config
}

/// Changes one object of `config`.
pub(crate) fn change<T: Clone>(object: &Arc<T>, change: impl FnOnce(&mut T)) -> Arc<T> {
    let mut changed = T::clone(object);
    change(&mut changed);
    Arc::new(changed)
}
