//! How long answers about many instances take. Run it optimised: `cargo run --release -p gannet-masterd --example query_bench`.
//!
//! Prints the best of several runs, in milliseconds of one processor, for the fields of `gnt-instance list`, those of RAPI's
//! `?bulk=1`, and a list with a filter.

use std::time::{Duration, Instant};

use gannet_core::config::{Config, Object, ObjectKind};
use gannet_core::id::NodeUuid;
use gannet_core::query::{Resource, field};
use gannet_masterd::query::instances_json;
use gannet_proto::node::{InstanceInfo, InstanceListReply, InstanceState};
use serde_json::{Value, json};

const RUNS: usize = 10;
const NODES: usize = 40;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../qa/parity");
    let example: Value = serde_json::from_str(&std::fs::read_to_string(format!("{dir}/examples/config.data.json"))?)?;
    let rapi: Value = serde_json::from_str(&std::fs::read_to_string(format!("{dir}/rapi.json"))?)?;
    let bulk: Vec<String> = serde_json::from_value(rapi["fields"]["instance"].clone())?;
    let list: Vec<String> = field::default_fields(Resource::Instance).iter().map(|&name| name.to_owned()).collect();
    let everything: Vec<String> = field::all(Resource::Instance).iter().map(|field| field.name.to_string()).collect();
    let running = json!(["&", ["==", "status", "running"], ["=~", "name", "^inst[0-9]*7\\."]]);
    println!("{:>9}  {:<28} {:>9} {:>12}", "instances", "request", "ms", "bytes");
    for count in [1_000, 10_000] {
        let config = cluster(&example, count)?;
        let replies = replies(&config);
        for (name, fields, filter, classic) in [
            ("gnt-instance list", &list, &Value::Null, false),
            ("gnt-instance list, filtered", &list, &running, false),
            ("RAPI bulk=1", &bulk, &Value::Null, true),
            ("all 292 fields", &everything, &Value::Null, false),
        ] {
            let (time, bytes) = measure(&config, &replies, fields, filter, classic)?;
            println!("{count:>9}  {name:<28} {:>9.2} {bytes:>12}", time.as_secs_f64() * 1e3);
        }
    }
    Ok(())
}

fn measure(
    config: &Config,
    replies: &[(NodeUuid, InstanceListReply)],
    fields: &[String],
    filter: &Value,
    classic: bool,
) -> Result<(Duration, usize), Box<dyn std::error::Error>> {
    let mut best = Duration::MAX;
    let mut bytes = 0;
    for _ in 0..RUNS {
        // The messages come fresh from the nodes each time; copying them is not counted.
        let replies = replies.to_vec();
        let start = Instant::now();
        bytes = instances_json(config, replies, fields, filter, classic)?.len();
        best = best.min(start.elapsed());
    }
    Ok((best, bytes))
}

/// The example cluster with more nodes and instances.
fn cluster(example: &Value, count: usize) -> Result<Config, Box<dyn std::error::Error>> {
    let mut config = Config::default();
    config.put(Object::from_json(ObjectKind::Cluster, &example["cluster"].to_string())?);
    let first = |key: &str| example[key].as_object().and_then(|objects| objects.values().next()).cloned().unwrap_or_default();
    config.put(Object::from_json(ObjectKind::NodeGroup, &first("nodegroups").to_string())?);
    config.put(Object::from_json(ObjectKind::Network, &first("networks").to_string())?);
    let uuid = |kind: usize, number: usize| format!("{kind:08x}-1111-4222-8333-{number:012x}");
    let mut node = first("nodes");
    for number in 0..NODES {
        node["uuid"] = uuid(1, number).into();
        node["name"] = format!("node{number}.example.com").into();
        config.put(Object::from_json(ObjectKind::Node, &node.to_string())?);
    }
    let (mut instance, mut disk) = (first("instances"), first("disks"));
    disk["dev_type"] = "sharedfile".into();
    disk["children"] = json!([]);
    disk["nodes"] = json!([]);
    for number in 0..count {
        disk["uuid"] = uuid(3, number).into();
        disk["logical_id"] = json!(["loop", format!("/srv/ganeti/shared-file-storage/inst{number}/disk0")]);
        config.put(Object::from_json(ObjectKind::Disk, &disk.to_string())?);
        instance["uuid"] = uuid(2, number).into();
        instance["name"] = format!("inst{number}.example.com").into();
        instance["primary_node"] = uuid(1, number % NODES).into();
        instance["disks"] = json!([uuid(3, number)]);
        instance["hvparams"] = json!({"kernel_path": "/boot/vmlinuz", "vnc_bind_address": "0.0.0.0"});
        instance["admin_state"] = if number % 5 == 0 { "down" } else { "up" }.into();
        config.put(Object::from_json(ObjectKind::Instance, &instance.to_string())?);
    }
    Ok(config)
}

/// What the nodes say: all instances run that should.
fn replies(config: &Config) -> Vec<(NodeUuid, InstanceListReply)> {
    let guests = |node: &NodeUuid| {
        let up = config.primary_instances(node).filter(|instance| instance.admin_state == gannet_core::config::AdminState::Up);
        let info = up.map(|instance| InstanceInfo {
            name: instance.name.to_string(),
            uuid: instance.uuid.to_string(),
            hypervisor: instance.hypervisor.clone(),
            state: InstanceState::Running.into(),
            memory_mib: 1024,
            vcpus: 2,
            ..InstanceInfo::default()
        });
        InstanceListReply { instances: info.collect(), ..InstanceListReply::default() }
    };
    config.nodes().map(|node| (node.uuid.clone(), guests(&node.uuid))).collect()
}
