//! What is really there of instances, on all nodes of a fake cluster, against what is recorded: guests, files, links.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use gannet_core::luxi::Method;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Node};

/// An instance as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub node: String,
    /// Ganeti's `admin_state`: `up`, `down`, `offline`.
    pub admin_state: String,
    /// In MiB.
    pub disk_sizes: Vec<u64>,
}

/// All instances that are recorded, by name.
///
/// # Panics
/// They cannot be listed.
#[track_caller]
#[must_use]
pub fn records(cluster: &Cluster) -> BTreeMap<String, Record> {
    let fields = ["name", "pnode", "admin_state", "disk.sizes"];
    let rows = cluster.luxi().call(Method::QueryInstances, &json!([[], fields, false])).unwrap_or_else(|error| panic!("{error}"));
    let row = |row: &Value| {
        let text = |index: usize| row[index].as_str().unwrap_or_else(|| panic!("not a row of an instance: {row}")).to_owned();
        let disk_sizes = row[3].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        (text(0), Record { node: text(1), admin_state: text(2), disk_sizes })
    };
    rows.as_array().into_iter().flatten().map(row).collect()
}

/// Guests of fake nodes: instance, node, phase (`running`, `paused`, `incoming`).
#[must_use]
pub fn guests(cluster: &Cluster) -> Vec<(String, String, String)> {
    let of = |node: &Node| {
        let files = names(&cluster.at(node, "/run/ganeti/fake-hypervisor")).into_iter().filter(|name| !name.starts_with('.'));
        let guest = |file: String| {
            let text = std::fs::read(cluster.at(node, "/run/ganeti/fake-hypervisor").join(&file)).ok()?;
            let record: Value = serde_json::from_slice(&text).unwrap_or_default();
            Some((file, node.name.clone(), record["phase"].as_str().unwrap_or("unreadable").to_owned()))
        };
        files.filter_map(guest).collect::<Vec<_>>()
    };
    cluster.nodes.iter().flat_map(of).collect()
}

/// What is there and should not be, or should be and is not; one sentence each. Nothing may be under way.
#[track_caller]
#[must_use]
pub fn odd(cluster: &Cluster) -> Vec<String> {
    let records = records(cluster);
    let guests = guests(cluster);
    let mut odd = Vec::new();
    for (name, node, phase) in &guests {
        match records.get(name) {
            None => odd.push(format!("a guest {name} ({phase}) on {node} without a record")),
            Some(record) if record.node != *node => odd.push(format!("{name} is {phase} on {node}, its record says {}", record.node)),
            Some(_) if phase != "running" => odd.push(format!("{name} is {phase} on {node}")),
            Some(record) if record.admin_state != "up" => {
                odd.push(format!("{name} runs on {node}, its record says {}", record.admin_state))
            }
            Some(_) => {}
        }
    }
    for (name, record) in records.iter().filter(|(_, record)| record.admin_state == "up") {
        let running = guests.iter().filter(|(guest, _, _)| guest == name).count();
        if running != 1 {
            odd.push(format!("{name} should run on {}, and has {running} guests", record.node));
        }
    }
    let mut images: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in &cluster.nodes {
        for storage in ["file-storage", "shared-file-storage"] {
            files(cluster, node, storage, &records, &mut images, &mut odd);
        }
        for link in names(&cluster.at(node, "/run/ganeti/instance-disks")) {
            let name = link.split(':').next().unwrap_or_default();
            if !records.contains_key(name) {
                odd.push(format!("a link {link} on {}", node.name));
            }
        }
        for left in names(&cluster.at(node, "/run/ganeti/gannet-os-scripts")) {
            odd.push(format!("an OS script of {left} is noted on {}", node.name));
        }
        for left in names(&cluster.at(node, "/run/ganeti/fake-hypervisor")).into_iter().filter(|name| name.starts_with('.')) {
            odd.push(format!("the fake hypervisor of {} left {left}", node.name));
        }
    }
    for (name, record) in &records {
        let found = images.get(name).map_or(0, BTreeSet::len);
        if found != record.disk_sizes.len() {
            odd.push(format!("{name} has {} disks and {found} images", record.disk_sizes.len()));
        }
    }
    odd
}

/// Looks at one storage directory of one node: a directory per instance, in it an image and its owner file per disk.
fn files(
    cluster: &Cluster,
    node: &Node,
    storage: &str,
    records: &BTreeMap<String, Record>,
    images: &mut BTreeMap<String, BTreeSet<String>>,
    odd: &mut Vec<String>,
) {
    let dir = cluster.at(node, &format!("/srv/ganeti/{storage}"));
    for instance in names(&dir) {
        let inside = names(&dir.join(&instance));
        if !records.contains_key(&instance) {
            odd.push(format!("{storage}/{instance} on {} belongs to nobody; in it are {inside:?}", node.name));
            continue;
        }
        let (hidden, visible): (Vec<String>, Vec<String>) = inside.into_iter().partition(|name| name.starts_with('.'));
        if visible.is_empty() {
            odd.push(format!("{storage}/{instance} on {} is empty", node.name));
        }
        let owners: BTreeSet<String> = visible.iter().map(|name| format!(".{name}.gannet")).collect();
        odd.extend(
            hidden.iter().filter(|name| !owners.contains(*name)).map(|name| format!("{storage}/{instance}/{name} on {}", node.name)),
        );
        let place = if storage == "file-storage" { node.name.as_str() } else { "" };
        images.entry(instance).or_default().extend(visible.iter().map(|name| format!("{place}/{name}")));
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
