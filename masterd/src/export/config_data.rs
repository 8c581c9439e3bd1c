//! `config.data`: the whole configuration as Ganeti writes it, for tools and backups. Never read back. Pure.

use gannet_core::config::{CONFIG_VERSION, Config};
use serde_json::{Map, Value, json};

/// The document of `config` as it was at log index `serial`.
///
/// # Errors
/// When an object holds a float that is not finite.
pub fn document(config: &Config, serial: u64) -> serde_json::Result<Value> {
    let mut cluster = serde_json::to_value(config.cluster())?;
    whole(&mut cluster, &STATES);
    let stamp = |name: &str| cluster.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    let ctime = stamp("ctime");
    let mut nodes = table(config.nodes().map(|object| (object.uuid.as_str(), object.as_ref())))?;
    let mut nodegroups = table(config.groups().map(|object| (object.uuid.as_str(), object.as_ref())))?;
    nodes.values_mut().chain(nodegroups.values_mut()).for_each(|object| whole(object, &STATES));
    let instances = table(config.instances().map(|object| (object.uuid.as_str(), object.as_ref())))?;
    let mut disks = table(config.disks().map(|object| (object.uuid.as_str(), object.as_ref())))?;
    disks.values_mut().for_each(|disk| whole(disk, &["params"]));
    let networks = table(config.networks().map(|object| (object.uuid.as_str(), object.as_ref())))?;
    let filters = table(config.filters().map(|object| (object.uuid.as_str(), object.as_ref())))?;
    let tables = [&nodes, &nodegroups, &instances, &disks, &networks];
    let times = tables.iter().flat_map(|table| table.values()).filter_map(|object| object.get("mtime")?.as_f64());
    let mtime = times.fold(stamp("mtime"), f64::max);
    Ok(json!({
        "version": CONFIG_VERSION,
        "cluster": cluster,
        "nodes": nodes,
        "nodegroups": nodegroups,
        "instances": instances,
        "disks": disks,
        "networks": networks,
        "filters": filters,
        "ctime": ctime,
        "mtime": mtime,
        "serial_no": serial.max(1),
    }))
}

/// What the state leaves out when it is empty, and Ganeti writes.
const STATES: [&str; 2] = ["hv_state_static", "disk_state_static"];

fn whole(object: &mut Value, keys: &[&str]) {
    let Some(object) = object.as_object_mut() else { return };
    for key in keys {
        object.entry(*key).or_insert_with(|| json!({}));
    }
    if let Some(Value::Array(children)) = object.get_mut("children") {
        children.iter_mut().for_each(|child| whole(child, keys));
    }
}

fn table<'a, T: serde::Serialize + 'a>(objects: impl Iterator<Item = (&'a str, &'a T)>) -> serde_json::Result<Map<String, Value>> {
    objects.map(|(uuid, object)| Ok((uuid.to_owned(), serde_json::to_value(object)?))).collect()
}
