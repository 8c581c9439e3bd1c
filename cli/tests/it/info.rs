//! The layout of `info` commands and other words of the master.

use serde_json::json;

use crate::support::{Master, response};

#[test]
fn instance() {
    let disk = json!({"iv_name": "disk/0", "dev_type": "file", "logical_id": ["loop", "/srv/ganeti/file-storage/web1/disk0"], "size": 10240,
        "mode": "rw", "spindles": null, "pstatus": ["/srv/x", null, null, null, null, false, 0], "sstatus": null, "children": [], "name": null, "uuid": "d-uuid"});
    let drbd = json!({"iv_name": "disk/1", "dev_type": "drbd", "logical_id": ["node1", "node2", 11000, 0, 1, "secret"], "size": 512,
        "mode": "rw", "spindles": null, "pstatus": ["/dev/drbd0", 147, 0, 43.2, 12, true, 0], "sstatus": ["/dev/drbd0", 147, 0, null, null, false, 2],
        "children": [{"iv_name": null, "dev_type": "plain", "logical_id": ["xenvg", "lv"], "size": 512, "mode": "rw", "pstatus": ["/dev/xenvg/lv", 253, 0, null, null, false, 0],
        "sstatus": null, "children": [], "name": null, "uuid": "c-uuid"}], "name": "data", "uuid": "e-uuid"});
    let web1 = json!({
        "name": "web1.example.com", "uuid": "i-uuid", "serial_no": 3, "ctime": 1_700_000_000.0, "mtime": 1_700_000_100.0, "config_state": "up", "run_state": "up",
        "pnode": "node1", "pnode_group_name": "default", "pnode_group_uuid": "g-uuid", "snodes": ["node2"], "snodes_group_names": ["default"], "snodes_group_uuids": ["g-uuid"],
        "os": "debian+12", "os_instance": {"a": "1"}, "os_actual": {"a": "1", "b": null}, "network_port": 11001, "hypervisor": "kvm",
        "hv_instance": {"acpi": false}, "hv_actual": {"acpi": false, "vnc_bind_address": "0.0.0.0"}, "be_instance": {"maxmem": 1024}, "be_actual": {"maxmem": 1024, "minmem": 128, "vcpus": 1},
        "nics": [[null, "n-uuid", null, "aa:00:00:01:02:03", "bridged", "br0", "", null, null]], "disk_template": "drbd", "disks": [disk, drbd],
    });
    let master = Master::new().job(json!({"web1.example.com": web1}));
    insta::assert_snapshot!("instance", master.run("gnt-instance info web1").all());
    assert_eq!(master.run("gnt-instance info").code, 1);
    assert!(master.run("gnt-instance info --roman --all").out.contains("Serial number: III\n"));
}

#[test]
fn node() {
    let row = json!(["node1", "192.0.2.1", "192.0.2.1", ["web1", "web2"], [], true, false, false, true, true, true, {"ssh_port": 22, "ovs": true}, {"ovs": true}, {}, {}]);
    let master = Master::new().answer("QueryNodes", json!([row]));
    insta::assert_snapshot!(master.run("gnt-node info node1").all());
}

#[test]
fn job() {
    let fields =
        ["id", "status", "ops", "opresult", "opstatus", "oplog", "opstart", "opexec", "opend", "received_ts", "start_ts", "end_ts"]
            .map(|name| (name, name, "other"));
    let row = json!([7, "success", [{"OP_ID": "OP_TEST_DELAY", "duration": 1.5, "on_nodes": ["n1"], "dry_run": null}], [null], ["success"],
        [[[1, [1_762_336_800, 5], "message", "hello"]]], [[1_762_336_800, 0]], [[1_762_336_800, 100]], [[1_762_336_801, 0]],
        [1_762_336_799, 500_000], [1_762_336_800, 0], [1_762_336_801, 0]]);
    let master = Master::new().answer("Query", response(&fields, json!([row])));
    insta::assert_snapshot!(master.run("gnt-job info 7 8").all());
}

#[test]
fn cluster() {
    let sizes = |n: u64| json!({"cpu-count": n, "disk-count": n, "disk-size": n, "memory-size": n, "nic-count": n, "spindle-use": n});
    let info = json!({
        "name": "cluster.example.com", "uuid": "c-uuid", "ctime": 1_700_000_000.0, "mtime": 1_700_000_000.0, "master": "node1", "architecture": ["64bit", "x86_64"],
        "tags": [], "default_hypervisor": "kvm", "enabled_hypervisors": ["kvm", "fake"], "hvparams": {"kvm": {"acpi": true}}, "os_hvp": {}, "osparams": {},
        "hidden_os": [], "blacklisted_os": ["old"], "candidate_pool_size": 10, "uid_pool": [[1000, 1010], [5, 5]], "reserved_lvs": [],
        "enabled_disk_templates": ["diskless", "file"], "compression_tools": ["gzip"], "ndparams": {"ssh_port": 22}, "beparams": {"default": {"vcpus": 1}},
        "nicparams": {"default": {"mode": "bridged"}}, "diskparams": {"file": {}}, "software_version": "3.1.1", "protocol_version": 3010000,
        "config_version": 3010000, "os_api_version": 20, "export_version": 0, "vcs_version": "x",
        "ipolicy": {"minmax": [{"min": sizes(1), "max": sizes(9)}], "std": sizes(1), "disk-templates": ["file"], "vcpu-ratio": 4.0, "spindle-ratio": 32.0},
    });
    let status = json!({"role": "leader", "term": 7, "members": [
        {"name": "node1", "role": "leader", "term": 7, "lag": 0}, {"name": "node2", "role": "voter", "term": 6, "lag": 3},
        {"name": "node3", "role": "witness", "term": null, "lag": null}]});
    let master = Master::new().answer("QueryClusterInfo", info).answer("StoreStatus", status);
    insta::assert_snapshot!("cluster", master.run("gnt-cluster info").all());
    insta::assert_snapshot!("version", master.run("gnt-cluster version").all());
    assert!(master.run("gnt-cluster show-ispecs-cmd").out.starts_with("gnt-cluster init --ipolicy-std-specs cpu-count=1,"));
}

#[test]
fn group() {
    let fields = ["name", "ndparams", "custom_ndparams", "diskparams", "custom_diskparams", "ipolicy", "custom_ipolicy", "alloc_policy"]
        .map(|name| (name, name, "other"));
    let policy = json!({"minmax": [{"min": {"cpu-count": 1}, "max": {"cpu-count": 8}}], "disk-templates": ["file"], "vcpu-ratio": 4.0, "spindle-ratio": 32.0});
    let row = json!(["default", {"ssh_port": 22}, {}, {"file": {"a": 1}}, {}, policy, {"vcpu-ratio": 4.0}, "preferred"]);
    let master = Master::new().answer("Query", response(&fields, json!([row])));
    insta::assert_snapshot!(master.run("gnt-group info default").all());
}

#[test]
fn commands_on_nodes() {
    let nodes = response(
        &[("name", "n", "text"), ("offline", "o", "bool"), ("master", "m", "bool")],
        json!([["n1", false, true], ["n2", false, false], ["n3", true, false]]),
    );
    let master = Master::new()
        .answer("Query", nodes)
        .answer("RunCommand", json!([["n1", 0, "hi\nho\n"], ["n2", 3, "bad"]]))
        .answer("CopyFile", json!([["n2", "disk full"]]));
    insta::assert_snapshot!("command", master.run("gnt-cluster command echo -n hi").all());
    assert_eq!(master.asked("RunCommand")[0], json!([["n1", "n2"], "echo -n hi", 3600]));
    std::fs::create_dir(master.root().join("etc")).unwrap();
    std::fs::write(master.root().join("etc/hostname"), "n1").unwrap();
    let copy = master.run("gnt-cluster copyfile /etc/hostname");
    assert_eq!(
        (copy.code, copy.err.as_str()),
        (1, "Note: skipping offline node(s): n3\nCopy of file /etc/hostname to node n2 failed: disk full\n")
    );
    assert_eq!(master.asked("CopyFile")[0], json!([["n2"], "/etc/hostname"]));
}

#[test]
fn queue_and_watcher() {
    let master = Master::new()
        .answer("SetDrainFlag", json!(true))
        .answer("QueryConfigValues", json!([true]))
        .answer("QueryConfigValues", json!([null]))
        .answer("SetWatcherPause", json!(1_762_336_800.0));
    assert_eq!(master.run("gnt-cluster queue drain").code, 0);
    assert_eq!(master.asked("SetDrainFlag"), [json!([true])]);
    assert_eq!(master.run("gnt-cluster queue info").out, "The drain flag is set\n");
    assert_eq!(master.run("gnt-cluster watcher info").out, "The watcher is not paused.\n");
    assert_eq!(master.run("gnt-cluster watcher pause 1h").out, "The watcher is paused until 2025-11-05 10:00:00.\n");
    assert_eq!(master.run("gnt-cluster watcher continue").out, "The watcher is no longer paused.\n");
    assert_eq!(master.run("gnt-cluster watcher pause").code, 1);
}

#[test]
fn tags() {
    let master = Master::new().answer("QueryTags", json!(["b", "a10", "a9"]));
    assert_eq!(master.run("gnt-instance list-tags web1").out, "a9\na10\nb\n");
    assert_eq!(master.run("gnt-cluster list-tags").code, 0);
    assert_eq!(master.asked("QueryTags"), [json!(["instance", "web1"]), json!(["cluster", ""])]);
    let found = Master::new().job(json!([["/cluster", "t"], ["/instances/web1", "t"]]));
    assert_eq!(found.run("gnt-cluster search-tags t").out, "/cluster t\n/instances/web1 t\n");
    assert_eq!(Master::new().job(json!([])).run("gnt-cluster search-tags t").code, 1);
}

#[test]
fn filters() {
    let master = Master::new().answer("ReplaceFilter", json!("f-uuid")).answer("DeleteFilter", json!(null));
    let words =
        ["gnt-filter", "add", "--priority", "3", "--predicates", r#"[["jobid",[">","id","watermark"]]]"#, "--action", "RATE_LIMIT 2"];
    assert_eq!(master.run_words(&words).out, "f-uuid\n");
    let asked = master.asked("ReplaceFilter").remove(0);
    assert_eq!(
        asked.as_array().unwrap()[..4],
        [json!(null), json!(3), json!([["jobid", [">", "id", "watermark"]]]), json!(["RATE_LIMIT", 2])]
    );
    assert_eq!(master.run("gnt-filter delete f-uuid").code, 0);
}
