//! What monitoring daemons say about a cluster: good reports, and in some clusters missing or spoilt ones.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use super::command::Line;
use super::model::Cluster;

/// The name of the file with the reports.
pub const MOND: &str = "mond.json";

/// Lets a tool read the reports. `all`: it has all options for that.
pub fn use_file(line: &mut Line, rng: &mut StdRng, all: bool) {
    line.args.push("--mond".to_owned());
    line.args.push(format!("--mond-data={MOND}"));
    for option in ["--mond-xen", "--exit-on-missing-mond-data"] {
        if all && rng.random_bool(0.4) {
            line.args.push(option.to_owned());
        }
    }
}

/// A file of reports.
#[must_use]
pub fn file(cluster: &Cluster, rng: &mut StdRng) -> String {
    let mut nodes: Vec<Value> = (0..cluster.nodes.len())
        .map(|at| json!({"node": cluster.nodes[at].name, "reports": [of_instances(cluster, at, rng), of_node(cluster, at, rng)]}))
        .collect();
    let at = rng.random_range(0..nodes.len());
    match rng.random_range(0..12) {
        0 => drop(nodes.remove(at)),
        1 => nodes[at]["reports"] = json!([]),
        2 => nodes.push(json!({"node": "nobody", "reports": []})),
        // The first of two reports counts, and the last of two nodes.
        3 => nodes.push(json!({"node": nodes[at]["node"], "reports": [of_node(cluster, at, rng), of_node(cluster, at, rng)]})),
        4 => spoil(&mut nodes[at]["reports"][1]["data"], rng),
        5 => spoil(&mut nodes[at]["reports"][1], rng),
        6 => spoil(&mut nodes[at]["reports"][0]["data"], rng),
        _ => {}
    }
    let text = Value::Array(nodes).to_string();
    match rng.random_range(0..40) {
        0 => text[..text.len() / 2].to_owned(),
        1 => "{}".to_owned(),
        _ => text,
    }
}

/// The report about the CPUs of a node.
#[must_use]
pub fn of_node(cluster: &Cluster, at: usize, rng: &mut StdRng) -> Value {
    let count = cluster.nodes[at].cpus;
    let cpus: Vec<f64> = (0..count).map(|_| rng.random_range(0.0..1.0)).collect();
    report("cpu-avg-load", &json!({"cpu_number": count, "cpus": cpus, "cpu_total": cpus.iter().sum::<f64>()}))
}

/// The report about the instances of a node; some are on two nodes at the time.
#[must_use]
pub fn of_instances(cluster: &Cluster, at: usize, rng: &mut StdRng) -> Value {
    let mut loads = serde_json::Map::new();
    for instance in &cluster.instances {
        if instance.primary == at || rng.random_bool(0.05) {
            loads.insert(instance.name.clone(), json!(rng.random_range(0.0..4.0)));
        }
    }
    report("xen-cpu-avg-load", &Value::Object(loads))
}

fn report(name: &str, data: &Value) -> Value {
    let mut report = json!({"name": name, "version": "B", "format_version": 1, "timestamp": 1_379_507_272_000_000_000_u64,
        "kind": 0, "data": data});
    if !name.starts_with("xen") {
        report["category"] = Value::Null;
    }
    report
}

/// A key too many, one too few, or one with another type.
fn spoil(object: &mut Value, rng: &mut StdRng) {
    let Value::Object(fields) = object else { return };
    let keys: Vec<String> = fields.keys().cloned().collect();
    let Some(key) = keys.choose(rng) else { return };
    match rng.random_range(0..3) {
        0 => drop(fields.insert("more".to_owned(), json!(1))),
        1 => drop(fields.remove(key)),
        _ => drop(fields.insert(key.clone(), json!([[]]))),
    }
}
