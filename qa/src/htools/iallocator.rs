//! The same cluster as an iallocator request (`parity/iallocator.json`), and requests on it.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value, json};

use super::model::{Cluster, Group, Instance, Node, Policy, Spec};

/// The whole input of `hail` for one request.
#[must_use]
pub fn input(cluster: &Cluster, request: &Value) -> Value {
    let named = |pairs: Vec<(String, Value)>| Value::Object(pairs.into_iter().collect::<Map<_, _>>());
    json!({
        "version": 2,
        "cluster_name": "cluster.example.com",
        "cluster_tags": cluster.tags,
        "enabled_hypervisors": ["xen-pvm"],
        "ipolicy": cluster.policies.first().map(policy),
        "nodegroups": named(cluster.groups.iter().enumerate().map(|(index, item)| (item.uuid(), group(cluster, index, item))).collect()),
        "nodes": named(cluster.nodes.iter().enumerate().map(|(index, item)| (item.name.clone(), node(cluster, index, item))).collect()),
        "instances": named(cluster.instances.iter().filter(|item| !item.forthcoming)
            .map(|item| (item.name.clone(), instance(cluster, item))).collect()),
        "request": request,
    })
}

/// Some requests of every kind that the cluster allows.
#[must_use]
pub fn requests(cluster: &Cluster, rng: &mut StdRng) -> Vec<Value> {
    let mut all = vec![allocate(cluster, rng), allocate(cluster, rng)];
    let new = |rng: &mut StdRng, index: usize| {
        let mut request = allocate(cluster, rng);
        if let Value::Object(map) = &mut request {
            map.remove("type");
            map.remove("restrict-to-nodes");
            map.insert("name".to_owned(), json!(format!("new{index}.example.com")));
            map.insert("group_name".to_owned(), Value::Null);
        }
        request
    };
    let several: Vec<Value> = (0..3).map(|index| new(rng, index)).collect();
    all.push(json!({"type": "multi-allocate", "instances": several}));
    let known: Vec<&Instance> = cluster.instances.iter().filter(|item| !item.forthcoming).collect();
    if let Some(item) = known.choose(rng) {
        let from = item.secondary.unwrap_or(item.primary);
        all.push(json!({
            "type": "relocate", "name": item.name, "disk_space_total": item.disk, "required_nodes": 1,
            "relocate_from": [cluster.nodes[from].name],
        }));
        all.push(json!({"type": "allocate-secondary", "name": item.name}));
    }
    let some: Vec<&str> = known.iter().filter(|_| rng.random_bool(0.3)).map(|item| item.name.as_str()).take(4).collect();
    for mode in ["primary-only", "secondary-only", "all"] {
        all.push(json!({"type": "node-evacuate", "evac_mode": mode, "instances": some}));
    }
    let target: Vec<String> =
        if rng.random_bool(0.5) { Vec::new() } else { cluster.groups.choose(rng).map(Group::uuid).into_iter().collect() };
    all.push(json!({"type": "change-group", "instances": some, "target_groups": target}));
    all
}

fn allocate(cluster: &Cluster, rng: &mut StdRng) -> Value {
    let template = *["drbd", "drbd", "plain", "sharedfile", "file", "rbd", "diskless", "ext"].choose(rng).unwrap_or(&"drbd");
    let disks: Vec<u64> = match template {
        "diskless" => Vec::new(),
        _ => (0..rng.random_range(1..3)).map(|_| *[1_024, 5_120, 20_480, 600_000].choose(rng).unwrap_or(&1_024)).collect(),
    };
    let exclusive = cluster.nodes.iter().any(|node| node.exclusive_storage);
    let disk =
        |size: &u64| if exclusive { json!({"size": size, "mode": "rw", "spindles": 1}) } else { json!({"size": size, "mode": "rw"}) };
    let group = if rng.random_bool(0.25) { cluster.groups.choose(rng).map(|group| group.name.clone()) } else { None };
    let overhead = if template == "drbd" { 128 * disks.len() as u64 } else { 0 };
    let mut request = json!({
        "type": "allocate",
        "name": "new.example.com",
        "disk_template": template,
        "group_name": group,
        "tags": if rng.random_bool(0.3) { vec!["service:1"] } else { Vec::new() },
        "os": "debian",
        "vcpus": rng.random_range(1..4),
        "memory": *[256, 1_024, 4_096, 12_288].choose(rng).unwrap_or(&256),
        "spindle_use": 1,
        "disks": disks.iter().map(disk).collect::<Vec<_>>(),
        "disk_space_total": disks.iter().sum::<u64>() + overhead,
        "nics": [{"mac": "aa:00:00:00:00:01", "ip": null, "mode": "bridged", "link": "br0"}],
        "required_nodes": if template == "drbd" { 2 } else { 1 },
        "hypervisor": "xen-pvm",
    });
    if rng.random_bool(0.2) {
        let some: Vec<&str> = cluster.nodes.iter().filter(|_| rng.random_bool(0.7)).map(|node| node.name.as_str()).collect();
        request["restrict-to-nodes"] = json!(some);
    }
    request
}

fn spec(spec: &Spec) -> Value {
    json!({
        "memory-size": spec[0], "cpu-count": spec[1], "disk-size": spec[2], "disk-count": spec[3], "nic-count": spec[4],
        "spindle-use": spec[5],
    })
}

fn policy(policy: &Policy) -> Value {
    json!({
        "std": spec(&policy.standard),
        "minmax": policy.ranges.iter().map(|(min, max)| json!({"min": spec(min), "max": spec(max)})).collect::<Vec<_>>(),
        "disk-templates": policy.templates,
        "vcpu-ratio": policy.vcpu_ratio,
        "spindle-ratio": policy.spindle_ratio,
    })
}

fn group(cluster: &Cluster, index: usize, group: &Group) -> Value {
    json!({
        "name": group.name, "alloc_policy": group.alloc_policy, "networks": [], "tags": [],
        "ipolicy": cluster.policy(index).map(policy),
    })
}

fn node(cluster: &Cluster, index: usize, node: &Node) -> Value {
    let on = || cluster.instances.iter().filter(move |instance| instance.primary == index && !instance.forthcoming);
    let mut value = json!({
        "tags": node.tags, "primary_ip": format!("192.0.2.{}", index % 250 + 1), "secondary_ip": format!("192.0.2.{}", index % 250 + 1),
        "offline": node.state == 'Y', "drained": false, "master_candidate": true, "group": cluster.groups[node.group].uuid(),
        "master_capable": true, "vm_capable": true,
        "ndparams": {
            "spindle_count": node.spindles, "oob_program": null, "exclusive_storage": node.exclusive_storage, "cpu_speed": node.cpu_speed,
        },
    });
    if node.state != 'Y' {
        let live = json!({
            "total_memory": node.memory, "reserved_memory": node.own_memory, "free_memory": node.free_memory,
            "total_disk": node.disk, "free_disk": node.free_disk, "total_spindles": node.spindles,
            "free_spindles": node.free_spindles, "total_cpus": node.cpus, "reserved_cpus": node.own_cpus,
            "i_pri_memory": on().map(|instance| instance.memory).sum::<u64>(),
            "i_pri_up_memory": on().filter(|instance| instance.uses_memory()).map(|instance| instance.memory).sum::<u64>(),
        });
        if let (Value::Object(all), Value::Object(live)) = (&mut value, live) {
            all.extend(live);
        }
    }
    value
}

fn instance(cluster: &Cluster, instance: &Instance) -> Value {
    let nodes: Vec<&str> =
        std::iter::once(instance.primary).chain(instance.secondary).map(|node| cluster.nodes[node].name.as_str()).collect();
    let state = match instance.status {
        "ADMIN_offline" => "offline",
        "ADMIN_down" | "ERROR_down" => "down",
        _ => "up",
    };
    let mut disk = json!({"mode": "rw", "size": instance.disk});
    if let Some(spindles) = instance.spindles {
        disk["spindles"] = json!(spindles);
    }
    json!({
        "tags": instance.tags, "admin_state": state, "vcpus": instance.vcpus, "memory": instance.memory,
        "spindle_use": instance.spindle_use, "os": "debian", "nodes": nodes, "nics": [],
        "disks": if instance.template == "diskless" { json!([]) } else { json!([disk]) },
        "disk_template": instance.template, "disks_active": state == "up", "hypervisor": "xen-pvm", "disk_space_total": instance.disk,
    })
}
