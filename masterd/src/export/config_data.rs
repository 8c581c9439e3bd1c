//! `config.data`: the whole configuration as Ganeti writes it, for tools and backups. Never read back. Pure.
//!
//! It is serialised object by object: a tree of all of it would be many times as large as its text.

use gannet_core::config::{CONFIG_VERSION, Config};
use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// What the state leaves out when it is empty, and Ganeti writes.
const STATES: &[&str] = &["hv_state_static", "disk_state_static"];

/// The document of a configuration as it was at a log index.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    config: &'a Config,
    serial: u64,
}

/// The document of `config` as it was at log index `serial`. It cannot be serialised when an object holds a float that is
/// not finite.
#[must_use]
pub fn document(config: &Config, serial: u64) -> Document<'_> {
    Document { config, serial }
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let config = self.config;
        let nodes = || config.nodes().map(|object| (object.uuid.as_str(), object.as_ref()));
        let groups = || config.groups().map(|object| (object.uuid.as_str(), object.as_ref()));
        let instances = || config.instances().map(|object| (object.uuid.as_str(), object.as_ref()));
        let disks = || config.disks().map(|object| (object.uuid.as_str(), object.as_ref()));
        let networks = || config.networks().map(|object| (object.uuid.as_str(), object.as_ref()));
        let filters = || config.filters().map(|object| (object.uuid.as_str(), object.as_ref()));
        let mut document = serializer.serialize_map(Some(11))?;
        document.serialize_entry("cluster", &Whole(config.cluster().as_ref(), STATES))?;
        document.serialize_entry("ctime", &config.cluster().stamps.ctime)?;
        document.serialize_entry("disks", &table(|| disks().map(|(uuid, disk)| (uuid, Whole(disk, &["params"])))))?;
        document.serialize_entry("filters", &table(filters))?;
        document.serialize_entry("instances", &table(instances))?;
        document.serialize_entry("mtime", &mtime(config))?;
        document.serialize_entry("networks", &table(networks))?;
        document.serialize_entry("nodegroups", &table(|| groups().map(|(uuid, group)| (uuid, Whole(group, STATES)))))?;
        document.serialize_entry("nodes", &table(|| nodes().map(|(uuid, node)| (uuid, Whole(node, STATES)))))?;
        document.serialize_entry("serial_no", &self.serial.max(1))?;
        document.serialize_entry("version", &CONFIG_VERSION)?;
        document.end()
    }
}

/// The newest change of all; filters have no such time.
fn mtime(config: &Config) -> f64 {
    let times = config.nodes().map(|node| node.stamps.mtime).chain(config.groups().map(|group| group.stamps.mtime));
    let times = times.chain(config.instances().map(|instance| instance.stamps.mtime)).chain(config.disks().map(|disk| disk.stamps.mtime));
    times.chain(config.networks().map(|network| network.stamps.mtime)).fold(config.cluster().stamps.mtime, f64::max)
}

/// An object with these keys, as empty objects where it has none.
struct Whole<'a, T>(&'a T, &'static [&'static str]);

impl<T: Serialize> Serialize for Whole<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serde_json::to_value(self.0).map_err(S::Error::custom)?;
        whole(&mut object, self.1);
        object.serialize(serializer)
    }
}

fn whole(object: &mut Value, keys: &[&str]) {
    let Some(object) = object.as_object_mut() else { return };
    for key in keys {
        object.entry(*key).or_insert_with(|| json!({}));
    }
    if let Some(Value::Array(children)) = object.get_mut("children") {
        children.iter_mut().for_each(|child| whole(child, keys));
    }
}

/// Objects by UUID.
struct Table<F>(F);

fn table<K, V, I: Iterator<Item = (K, V)>, F: Fn() -> I>(rows: F) -> Table<F> {
    Table(rows)
}

impl<K: Serialize, V: Serialize, I: Iterator<Item = (K, V)>, F: Fn() -> I> Serialize for Table<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map((self.0)())
    }
}
