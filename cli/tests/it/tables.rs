//! List commands.

use serde_json::json;

use crate::support::{Master, response};

fn instances() -> serde_json::Value {
    let fields = [
        ("name", "Instance", "text"),
        ("hypervisor", "Hypervisor", "text"),
        ("oper_ram", "Memory", "unit"),
        ("ctime", "CTime", "timestamp"),
    ];
    let mut answer = response(&fields, json!([["web1.example.com", "kvm", 2048, 1_700_000_000.5], ["web10.example.com", "kvm", 0, 0.0]]));
    answer["data"][1][2] = json!([4, null]);
    answer
}

#[test]
fn tables() {
    let master = Master::new().answer("Query", instances());
    insta::assert_snapshot!("table", master.run("gnt-instance list -o name,hypervisor,oper_ram,ctime").all());
    insta::assert_snapshot!(
        "table_for_scripts",
        master.run("gnt-instance list -o name,hypervisor,oper_ram,ctime --no-headers --separator=: -v").all()
    );
    assert!(master.run("gnt-instance list --units m").out.contains(" 2048 "));
}

#[test]
fn arguments_become_a_query() {
    let master = Master::new().answer("Query", instances());
    let query = |line: &str| {
        assert_eq!(master.run(line).code, 0, "{line}");
        master.asked("Query").pop().unwrap()
    };
    assert_eq!(query("gnt-instance list"), json!(["instance", ["name", "hypervisor", "os", "pnode", "status", "oper_ram"], null]));
    assert_eq!(query("gnt-instance list -o +tags")[1], json!(["name", "hypervisor", "os", "pnode", "status", "oper_ram", "tags"]));
    assert_eq!(query("gnt-instance list web1 web2")[2], json!(["|", ["==", "name", "web1"], ["==", "name", "web2"]]));
    assert_eq!(query("gnt-instance list -F admin_up")[2], json!(["?", "admin_up"]));
    assert_eq!(query("gnt-node list")[0], "node");
    assert_eq!(
        query("gnt-job list --running --pending")[2],
        json!(["|", ["==", "status", "queued"], ["==", "status", "waiting"], ["==", "status", "canceling"]])
    );
    assert_eq!(query("gnt-job list 3")[2], json!(["|", ["==", "id", 3]]));
    assert_eq!(query("gnt-job list --archived")[1], json!(["id", "status", "summary", "archived"]));
    assert_eq!(query("gnt-group list")[0], "group");
    assert_eq!(query("gnt-filter list")[0], "filter");
    assert_eq!(query("gnt-network list")[0], "network");
    assert_eq!(query("gnt-debug locks")[0], "lock");
    assert_eq!(query("gnt-backup list -n n1")[2], json!(["|", ["==", "node", "n1"]]));
}

#[test]
fn an_unknown_field_has_its_own_exit_code() {
    let fields = json!([{"name": "nix", "title": "nix", "kind": "unknown", "doc": "Unknown field 'nix'"}]);
    let master =
        Master::new().answer("Query", json!({"fields": fields, "data": [[[1, null]]]})).answer("QueryFields", json!({"fields": fields}));
    insta::assert_snapshot!("unknown_field", master.run("gnt-instance list -o nix").all());
    assert_eq!(master.run("gnt-instance list-fields nix").code, 14);
}

#[test]
fn fields() {
    let fields = json!([{"name": "name", "title": "Node", "kind": "text", "doc": "Its name"}, {"name": "dfree", "title": "DFree", "kind": "unit", "doc": "Free disk"}]);
    let master = Master::new().answer("QueryFields", json!({"fields": fields}));
    insta::assert_snapshot!(master.run("gnt-node list-fields").all());
    assert_eq!(master.asked("QueryFields"), [json!(["node", null])]);
}

#[test]
fn rows_that_a_job_answers() {
    let master = Master::new().job(json!([["n1", "/dev/sda", "xenvg", "lv1", 2048, null], ["n1", "/dev/sda", "xenvg", "lv2", 10, "web1"]]));
    insta::assert_snapshot!("volumes", master.run("gnt-node volumes").all());
    assert_eq!(master.run("gnt-node volumes -o nix").code, 14);
    let os = Master::new().job(json!([["debian", ["12", "13"]], ["busybox", []]]));
    assert_eq!(os.run("gnt-os list").out, "Name\ndebian+12\ndebian+13\nbusybox\n");
    assert_eq!(os.run("gnt-os list --no-headers").out, "debian+12\ndebian+13\nbusybox\n");
}

#[test]
fn default_arguments_come_from_the_environment() {
    use gannet_cli::environment::Environment;
    let env = Environment { default_args: vec![("GNT_INSTANCE_LIST".into(), "-o 'a b'".into())], ..Environment::default() };
    assert_eq!(env.arguments_for("GNT_INSTANCE_LIST"), ["-o", "a b"]);
    assert!(env.arguments_for("GNT_NODE_LIST").is_empty());
}
