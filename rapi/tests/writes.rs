//! Resources that change something: the opcodes that reach the master.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, cluster};
use serde_json::{Value, json};

/// A request, and what its opcode has to contain.
type Case = (&'static str, &'static str, Value, Value);

fn cases() -> Vec<Case> {
    let new = json!({"__version__": 1, "mode": "create", "name": "new1", "os": "noop", "disk_template": "diskless", "disks": [], "nics": [{}], "pnode": "node1",
        "hvparams": {"usb_devices": "a b"}, "beparams": {"maxmem": 256}, "forthcoming": true});
    vec![
        (
            "POST",
            "/2/instances?dry-run=1",
            new,
            json!({"OP_ID": "OP_INSTANCE_CREATE", "instance_name": "new1", "os_type": "noop", "dry_run": true, "forthcoming": true, "hvparams": {"usb_devices": "a,b"}}),
        ),
        (
            "DELETE",
            "/2/instances/web1",
            json!({"shutdown_timeout": 7}),
            json!({"OP_ID": "OP_INSTANCE_REMOVE", "instance_name": "web1", "ignore_failures": false, "shutdown_timeout": 7}),
        ),
        (
            "GET",
            "/2/instances/web1/info?static=1",
            Value::Null,
            json!({"OP_ID": "OP_INSTANCE_QUERY_DATA", "instances": ["web1"], "static": true}),
        ),
        (
            "PUT",
            "/2/instances/web1/startup?force=1&no_remember=1",
            Value::Null,
            json!({"OP_ID": "OP_INSTANCE_STARTUP", "force": true, "no_remember": true, "dry_run": false}),
        ),
        (
            "PUT",
            "/2/instances/web1/startup",
            json!({"depends": [[3, ["success"]]]}),
            json!({"OP_ID": "OP_INSTANCE_STARTUP", "depends": [[3, ["success"]]]}),
        ),
        (
            "PUT",
            "/2/instances/web1/shutdown?dry-run=1",
            json!({"timeout": 5, "force": true}),
            json!({"OP_ID": "OP_INSTANCE_SHUTDOWN", "timeout": 5, "force": true, "dry_run": true}),
        ),
        (
            "POST",
            "/2/instances/web1/reboot?type=full&ignore_secondaries=1",
            Value::Null,
            json!({"OP_ID": "OP_INSTANCE_REBOOT", "reboot_type": "full", "ignore_secondaries": true}),
        ),
        (
            "PUT",
            "/2/instances/web1/migrate",
            json!({"mode": "live", "target_node": "node2"}),
            json!({"OP_ID": "OP_INSTANCE_MIGRATE", "mode": "live", "target_node": "node2"}),
        ),
        (
            "PUT",
            "/2/instances/web1/failover",
            json!({"ignore_consistency": true}),
            json!({"OP_ID": "OP_INSTANCE_FAILOVER", "ignore_consistency": true}),
        ),
        (
            "PUT",
            "/2/instances/web1/rename",
            json!({"new_name": "web2"}),
            json!({"OP_ID": "OP_INSTANCE_RENAME", "new_name": "web2", "name_check": false}),
        ),
        (
            "PUT",
            "/2/instances/web1/modify",
            json!({"custom_beparams": {"vcpus": 2}}),
            json!({"OP_ID": "OP_INSTANCE_SET_PARAMS", "beparams": {"vcpus": 2}}),
        ),
        (
            "POST",
            "/2/instances/web1/replace-disks",
            json!({"mode": "replace_on_primary", "disks": [0]}),
            json!({"OP_ID": "OP_INSTANCE_REPLACE_DISKS", "disks": [0]}),
        ),
        (
            "PUT",
            "/2/instances/web1/activate-disks?ignore_size=1",
            Value::Null,
            json!({"OP_ID": "OP_INSTANCE_ACTIVATE_DISKS", "ignore_size": true}),
        ),
        ("PUT", "/2/instances/web1/deactivate-disks?force=1", Value::Null, json!({"OP_ID": "OP_INSTANCE_DEACTIVATE_DISKS", "force": true})),
        (
            "POST",
            "/2/instances/web1/recreate-disks",
            json!({"nodes": ["node2"]}),
            json!({"OP_ID": "OP_INSTANCE_RECREATE_DISKS", "nodes": ["node2"]}),
        ),
        ("PUT", "/2/instances/web1/prepare-export?mode=remote", Value::Null, json!({"OP_ID": "OP_BACKUP_PREPARE", "mode": "remote"})),
        (
            "PUT",
            "/2/instances/web1/export",
            json!({"destination": "node2", "mode": "local"}),
            json!({"OP_ID": "OP_BACKUP_EXPORT", "target_node": "node2"}),
        ),
        (
            "POST",
            "/2/instances/web1/disk/1/grow",
            json!({"amount": 1024}),
            json!({"OP_ID": "OP_INSTANCE_GROW_DISK", "disk": 1, "amount": 1024}),
        ),
        (
            "PUT",
            "/2/instances/web1/tags?tag=a&tag=b&dry-run=1",
            Value::Null,
            json!({"OP_ID": "OP_TAGS_SET", "kind": "instance", "name": "web1", "tags": ["a", "b"], "dry_run": true}),
        ),
        ("DELETE", "/2/tags?tag=a", Value::Null, json!({"OP_ID": "OP_TAGS_DEL", "kind": "cluster", "name": null, "tags": ["a"]})),
        (
            "POST",
            "/2/nodes/node1/powercycle?force=1",
            Value::Null,
            json!({"OP_ID": "OP_NODE_POWERCYCLE", "node_name": "node1", "force": true}),
        ),
        ("PUT", "/2/nodes/node1/tags?tag=a", Value::Null, json!({"OP_ID": "OP_TAGS_SET", "kind": "node", "name": "node1"})),
        (
            "PUT",
            "/2/nodes/node1/role?force=1&auto-promote=1",
            json!("offline"),
            json!({"OP_ID": "OP_NODE_SET_PARAMS", "offline": true, "drained": null, "master_candidate": null, "force": true, "auto_promote": true}),
        ),
        ("PUT", "/2/nodes/node1/role", json!("regular"), json!({"offline": false, "drained": false, "master_candidate": false})),
        (
            "POST",
            "/2/nodes/node1/evacuate?dry-run=1",
            json!({"mode": "all", "iallocator": "hail"}),
            json!({"OP_ID": "OP_NODE_EVACUATE", "mode": "all", "iallocator": "hail", "dry_run": true}),
        ),
        ("POST", "/2/nodes/node1/migrate?live=0", Value::Null, json!({"OP_ID": "OP_NODE_MIGRATE", "mode": "non-live"})),
        (
            "POST",
            "/2/nodes/node1/migrate?dry-run=1&reason=x",
            json!({"target_node": "node2"}),
            json!({"dry_run": true, "target_node": "node2"}),
        ),
        ("POST", "/2/nodes/node1/modify", json!({"vm_capable": false}), json!({"OP_ID": "OP_NODE_SET_PARAMS", "vm_capable": false})),
        (
            "GET",
            "/2/nodes/node1/storage?storage_type=file&output_fields=name,size",
            Value::Null,
            json!({"OP_ID": "OP_NODE_QUERY_STORAGE", "nodes": ["node1"], "storage_type": "file", "output_fields": ["name", "size"]}),
        ),
        (
            "PUT",
            "/2/nodes/node1/storage/modify?storage_type=lvm-pv&name=sda&allocatable=0",
            Value::Null,
            json!({"OP_ID": "OP_NODE_MODIFY_STORAGE", "name": "sda", "changes": {"allocatable": false}}),
        ),
        (
            "PUT",
            "/2/nodes/node1/storage/repair?storage_type=lvm-vg&name=xenvg",
            Value::Null,
            json!({"OP_ID": "OP_REPAIR_NODE_STORAGE", "name": "xenvg"}),
        ),
        ("POST", "/2/groups", json!({"name": "g1"}), json!({"OP_ID": "OP_GROUP_ADD", "group_name": "g1"})),
        ("DELETE", "/2/groups/g1", Value::Null, json!({"OP_ID": "OP_GROUP_REMOVE", "group_name": "g1"})),
        (
            "PUT",
            "/2/groups/g1/modify",
            json!({"custom_ndparams": {"spindle_count": 2}}),
            json!({"OP_ID": "OP_GROUP_SET_PARAMS", "ndparams": {"spindle_count": 2}}),
        ),
        ("PUT", "/2/groups/g1/rename", json!({"new_name": "g2"}), json!({"OP_ID": "OP_GROUP_RENAME", "new_name": "g2"})),
        (
            "PUT",
            "/2/groups/g1/assign-nodes?force=1",
            json!({"nodes": ["node1"]}),
            json!({"OP_ID": "OP_GROUP_ASSIGN_NODES", "nodes": ["node1"], "force": true}),
        ),
        ("DELETE", "/2/groups/g1/tags?tag=a", Value::Null, json!({"OP_ID": "OP_TAGS_DEL", "kind": "nodegroup"})),
        ("POST", "/2/networks", json!({"name": "n1", "network": "192.0.2.0/24"}), json!({"OP_ID": "OP_NETWORK_ADD", "network_name": "n1"})),
        ("DELETE", "/2/networks/n1", json!({"force": true}), json!({"OP_ID": "OP_NETWORK_REMOVE", "force": true})),
        (
            "PUT",
            "/2/networks/n1/connect",
            json!({"group_name": "g1", "network_mode": "bridged", "network_link": "br0"}),
            json!({"OP_ID": "OP_NETWORK_CONNECT", "network_link": "br0"}),
        ),
        ("PUT", "/2/networks/n1/disconnect", json!({"group_name": "g1"}), json!({"OP_ID": "OP_NETWORK_DISCONNECT", "group_name": "g1"})),
        ("PUT", "/2/networks/n1/rename", json!({"new_name": "n2"}), json!({"OP_ID": "OP_NETWORK_RENAME", "new_name": "n2"})),
        (
            "PUT",
            "/2/networks/n1/modify",
            json!({"gateway": "192.0.2.1"}),
            json!({"OP_ID": "OP_NETWORK_SET_PARAMS", "gateway": "192.0.2.1"}),
        ),
        ("PUT", "/2/networks/n1/tags?tag=a", Value::Null, json!({"OP_ID": "OP_TAGS_SET", "kind": "network"})),
        ("PUT", "/2/redistribute-config", Value::Null, json!({"OP_ID": "OP_CLUSTER_REDIST_CONF"})),
        ("PUT", "/2/modify", json!({"candidate_pool_size": 5}), json!({"OP_ID": "OP_CLUSTER_SET_PARAMS", "candidate_pool_size": 5})),
    ]
}

#[tokio::test]
async fn opcodes() {
    let lab = Lab::start().await;
    for (method, path, body, expected) in cases() {
        let reply = lab.call(method, path, body).await;
        assert_eq!((reply.status, reply.json()), (200, json!(10)), "{method} {path}");
        let [opcode] = <[Value; 1]>::try_from(lab.last_job()).unwrap();
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(opcode[key], *value, "{key} of {method} {path}");
        }
        let library = opcode["reason"].as_array().unwrap().last().unwrap()[0].as_str().unwrap().to_owned();
        assert!(library.starts_with("gnt:library:rlib2:"), "{library}");
    }
}

#[tokio::test]
async fn several_instances_at_once() {
    let lab = Lab::start().await;
    let one = json!({"mode": "create", "name": "new1", "os": "noop", "disk_template": "diskless", "disks": [], "nics": []});
    let reply = lab.call("POST", "/2/instances-multi-alloc?dry-run=1", json!({"iallocator": "hail", "instances": [one]})).await;
    assert_eq!(reply.json(), json!(10));
    let opcode = &lab.last_job()[0];
    assert_eq!((&opcode["OP_ID"], &opcode["dry_run"]), (&json!("OP_INSTANCE_MULTI_ALLOC"), &json!(true)));
    assert_eq!((&opcode["instances"][0]["OP_ID"], &opcode["instances"][0]["os_type"]), (&json!("OP_INSTANCE_CREATE"), &json!("noop")));
}

#[tokio::test]
async fn a_reinstallation() {
    let lab = Lab::start().await;
    assert_eq!(lab.call("POST", "/2/instances/web1/reinstall", json!({"os": "noop"})).await.json(), json!(10));
    let ids: Vec<Value> = lab.last_job().iter().map(|opcode| opcode["OP_ID"].clone()).collect();
    assert_eq!(ids, ["OP_INSTANCE_SHUTDOWN", "OP_INSTANCE_REINSTALL", "OP_INSTANCE_STARTUP"]);
    assert_eq!(lab.last_job()[1]["os_type"], "noop");
}

#[tokio::test]
async fn jobs() {
    let lab = Lab::start().await;
    assert_eq!(lab.call("DELETE", "/2/jobs/9", Value::Null).await.json(), json!([true, "Job 9 has been canceled"]));
    assert_eq!(lab.last_call(), ("CancelJob".to_owned(), json!([9, false])));
    let changed =
        lab.call("GET", "/2/jobs/9/wait", json!({"fields": ["status"], "previous_job_info": ["running"], "previous_log_serial": 0})).await;
    assert_eq!(changed.json(), json!({"job_info": ["success"], "log_entries": [[1, [1_700_000_000, 5], "message", "done"]]}));
    assert_eq!(lab.last_call().1, json!([9, ["status"], ["running"], 0, 10]));
    let same = lab.call("GET", "/2/jobs/9/wait", json!({"fields": ["status"], "previous_job_info": ["success"]})).await;
    assert_eq!((same.status, same.json()), (200, Value::Null));
    assert_eq!(lab.call("GET", "/2/jobs/99/wait", json!({"fields": ["status"]})).await.status, 500);
}

#[tokio::test]
async fn filters() {
    let lab = Lab::start().await;
    let rule = json!({"priority": 2, "predicates": [["jobid", [">", "id", 1]]], "action": ["RATE_LIMIT", 3]});
    let added = lab.call("POST", "/2/filters", rule.clone()).await;
    assert_eq!(added.json(), "8a0f7c70-0000-4000-8000-00000000000e");
    let (method, args) = lab.last_call();
    assert_eq!((method.as_str(), &args[0], &args[1], &args[3]), ("ReplaceFilter", &Value::Null, &json!(2), &json!(["RATE_LIMIT", 3])));
    let uuid = &cluster()["filter"][0]["uuid"];
    let path = format!("/2/filters/{}", uuid.as_str().unwrap());
    assert_eq!(lab.call("PUT", &path, rule).await.status, 200);
    assert_eq!(lab.last_call().1[0], *uuid);
    assert_eq!(lab.call("DELETE", &path, Value::Null).await.json(), Value::Null);
    assert_eq!(lab.last_call(), ("DeleteFilter".to_owned(), json!([uuid])));
}

/// Nothing of what is refused reaches the master.
#[tokio::test]
async fn refusals() {
    let lab = Lab::start().await;
    for (method, path, body, status) in [
        ("POST", "/2/instances", json!({"name": "x"}), 400),
        ("POST", "/2/instances", json!({"__version__": 1, "name": "x", "instance_name": "y"}), 400),
        ("POST", "/2/instances", json!({"__version__": 1, "name": "x", "mode": "create", "disks": [], "nics": [], "nonsense": 1}), 400),
        ("POST", "/2/instances", json!([]), 400),
        ("PUT", "/2/instances/web1/startup?force=x", Value::Null, 400),
        ("POST", "/2/instances/web1/reboot?type=gently", Value::Null, 400),
        ("PUT", "/2/instances/web1/migrate", json!({"instance_name": "db1"}), 400),
        ("PUT", "/2/instances/web1/prepare-export", Value::Null, 400),
        ("PUT", "/2/instances/web1/rename", Value::Null, 400),
        ("PUT", "/2/instances/web1/tags", Value::Null, 400),
        ("POST", "/2/instances/web1/reinstall?os=x", json!({"os": "x"}), 400),
        ("POST", "/2/instances-multi-alloc", json!({"instances": [{"name": "x", "nonsense": 1}]}), 400),
        ("POST", "/2/instances-multi-alloc", Value::Null, 400),
        ("PUT", "/2/nodes/node1/role", json!("master"), 400),
        ("PUT", "/2/nodes/node1/role", json!({"role": "offline"}), 400),
        ("POST", "/2/nodes/node1/migrate?live=1&mode=live", Value::Null, 400),
        ("GET", "/2/nodes/node1/storage?storage_type=file", Value::Null, 400),
        ("PUT", "/2/nodes/node1/storage/repair?storage_type=lvm-vg", Value::Null, 400),
        ("PUT", "/2/modify", json!({"compression_tools": ["x"]}), 403),
        ("POST", "/2/filters", json!({"nonsense": 1}), 400),
        ("GET", "/2/jobs/9/wait", Value::Null, 400),
    ] {
        let reply = lab.call(method, path, body.clone()).await;
        assert_eq!(reply.status, status, "{method} {path} {body}: {:?}", reply.body);
    }
    assert!(lab.asked.lock().unwrap().is_empty());
}
