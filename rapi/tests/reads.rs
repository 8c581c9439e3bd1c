//! Read resources against a master with recorded answers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, READER, Setup, cluster};
use gannet_core::error::WireError;
use serde_json::{Value, json};
use std::sync::Arc;

fn contract_fields(kind: &str) -> Vec<String> {
    let contract: Value = serde_json::from_str(include_str!("../../qa/parity/rapi.json")).unwrap();
    serde_json::from_value(contract["fields"][kind].clone()).unwrap()
}

/// The fields of the contract, as the data has them.
fn object(kind: &str, index: usize, fields: &str) -> Value {
    let found = &cluster()[kind][index];
    contract_fields(fields).into_iter().map(|field| (field.clone(), found[&field].clone())).collect::<serde_json::Map<_, _>>().into()
}

fn instance(index: usize) -> Value {
    let mut found = object("instance", index, "instance");
    found["beparams"]["memory"] = found["beparams"]["maxmem"].clone();
    found
}

#[tokio::test]
async fn resources() {
    let lab = Lab::start().await;
    let mut client = lab.connect().await;
    let mut node = object("node", 0, "node");
    node["secondary_ip"] = node["sip"].clone();
    let mut info = cluster()["info"].clone();
    info["vg_name"] = json!("xenvg");
    info["drbd_helper"] = json!("/bin/true");
    let cases = [
        ("/", Value::Null),
        ("/2", Value::Null),
        ("/version", json!(2)),
        ("/2/info", info),
        ("/2/features", json!(["instance-create-reqv1", "instance-reinstall-reqv1", "node-evac-res1", "node-migrate-reqv1"])),
        (
            "/2/instances",
            json!([{"id": "db1.example.com", "uri": "/2/instances/db1.example.com"}, {"id": "web1.example.com", "uri": "/2/instances/web1.example.com"}]),
        ),
        ("/2/instances?bulk=1", json!([instance(0), instance(1)])),
        ("/2/instances/web1.example.com", instance(0)),
        (
            "/2/nodes",
            json!([{"id": "node1.example.com", "uri": "/2/nodes/node1.example.com"}, {"id": "node2.example.com", "uri": "/2/nodes/node2.example.com"}]),
        ),
        ("/2/nodes?bulk=1", json!([object("node", 0, "node"), object("node", 1, "node")])),
        ("/2/nodes/node1.example.com", node),
        ("/2/nodes/node2.example.com/role", json!("master-candidate")),
        ("/2/groups", json!([{"name": "default", "uri": "/2/groups/default"}])),
        ("/2/groups?bulk=1", json!([object("group", 0, "group")])),
        ("/2/groups/default", object("group", 0, "group")),
        ("/2/networks", json!([{"name": "net1", "uri": "/2/networks/net1"}])),
        ("/2/networks?bulk=1", json!([object("network", 0, "network")])),
        ("/2/networks/net1", object("network", 0, "network")),
        ("/2/filters", json!([{"uuid": "8a0f7c70-0000-4000-8000-00000000000c", "uri": "/2/filters/8a0f7c70-0000-4000-8000-00000000000c"}])),
        ("/2/filters?bulk=1", json!([object("filter", 0, "filter")])),
        ("/2/filters/8a0f7c70-0000-4000-8000-00000000000c", object("filter", 0, "filter")),
        ("/2/jobs", json!([{"id": 9, "uri": "/2/jobs/9"}, {"id": 10, "uri": "/2/jobs/10"}])),
        ("/2/jobs?bulk=1", json!([object("job", 0, "job_bulk"), object("job", 1, "job_bulk")])),
        ("/2/jobs/9", object("job", 0, "job")),
        ("/2/os", json!(["debootstrap+default", "debootstrap+minimal", "noop"])),
        ("/2/tags", json!(["prod", "cluster", ""])),
        ("/2/nodes/node1/tags", json!(["prod", "node", "node1"])),
        ("/2/groups/default/tags", json!(["prod", "nodegroup", "default"])),
        ("/2/instances/web1/tags", json!(["prod", "instance", "web1"])),
        ("/2/networks/net1/tags", json!(["prod", "network", "net1"])),
        ("/2/query/node/fields", json!({"fields": [{"name": "name"}], "asked": ["node", null]})),
        ("/2/query/node/fields?fields=name,role", json!({"fields": [{"name": "name"}], "asked": ["node", ["name", "role"]]})),
    ];
    for (path, expected) in cases {
        let reply = client.send("GET", path, None, None).await;
        assert_eq!((reply.status, reply.json()), (200, expected), "{path}");
        assert_eq!(reply.headers["content-type"], "application/json");
        assert_eq!(reply.headers["server"], "Ganeti 3.1.1");
        assert!(reply.body.ends_with(b"\n"), "{path}");
    }
}

#[tokio::test]
async fn resources_for_readers() {
    let lab = Lab::start().await;
    let mut client = lab.connect().await;
    let console = cluster()["instance"][0]["console"].clone();
    let asked = |args: Value| json!({"fields": [{"name": "name"}], "data": [[[0, args[0]]]], "asked": args});
    let cases = [
        ("GET", "/2/instances/web1.example.com/console", None, 200, console),
        ("GET", "/2/query/node?fields=name,role", None, 200, asked(json!(["node", ["name", "role"], null]))),
        (
            "PUT",
            "/2/query/node",
            Some(json!({"fields": ["name"], "qfilter": ["=", "name", "x"]})),
            200,
            asked(json!(["node", ["name"], ["=", "name", "x"]])),
        ),
        (
            "PUT",
            "/2/query/node?fields=name",
            Some(json!({"filter": ["?", "offline"]})),
            200,
            asked(json!(["node", ["name"], ["?", "offline"]])),
        ),
    ];
    for (method, path, body, status, expected) in cases {
        let reply = client.send(method, path, Some(READER), body.map(|body| body.to_string()).as_deref()).await;
        assert_eq!((reply.status, reply.json()), (status, expected), "{path}");
    }
    for (method, path, body, status) in [
        ("GET", "/2/instances/db1.example.com/console", None, 503),
        ("GET", "/2/instances/unknown/console", None, 404),
        ("GET", "/2/query/node", None, 400),
        ("PUT", "/2/query/node", None, 400),
        ("PUT", "/2/query/node", Some("{}"), 400),
        ("PUT", "/2/query/node", Some(r#"{"fields": "name"}"#), 400),
    ] {
        assert_eq!(client.send(method, path, Some(READER), body).await.status, status, "{method} {path} {body:?}");
    }
}

#[tokio::test]
async fn what_is_not_there() {
    let lab = Lab::start().await;
    let mut client = lab.connect().await;
    for (path, status) in [
        ("/2/instances/unknown", 404),
        ("/2/nodes/unknown", 404),
        ("/2/nodes/unknown/role", 500),
        ("/2/groups/unknown", 404),
        ("/2/networks/unknown", 404),
        ("/2/filters/unknown", 404),
        ("/2/nodes/unknown/tags", 404),
        // as Ganeti's daemon answers: a row with the number and nulls
        ("/2/jobs/12345", 200),
        ("/2/jobs/99999999999999999999999", 404),
        ("/2/instances?bulk=1&lock=1", 500),
        ("/2/instances/web1.example.com?lock=1", 500),
        ("/2/instances?bulk=yes", 400),
        ("/3", 404),
        ("/2/instances/", 404),
    ] {
        let reply = client.send("GET", path, None, None).await;
        assert_eq!(reply.status, status, "{path}");
        if status != 200 {
            let error = reply.json();
            assert_eq!(
                (&error["code"], error["message"].is_string(), error["explain"].is_string()),
                (&json!(status), true, true),
                "{path}"
            );
        }
    }
}

#[track_caller]
fn failing(class: &'static str) -> Setup {
    Setup { answers: Arc::new(move |_, _| Err(WireError::new(class, "it <failed>"))), ..Setup::default() }
}

#[tokio::test]
async fn a_master_that_fails() {
    let lab = Lab::with(failing("GenericError")).await;
    let reply = lab.get("/2/info").await;
    assert_eq!((reply.status, reply.json()["message"].clone()), (500, json!("it &lt;failed&gt;")));
    for (class, status) in [("JobQueueFull", 503), ("JobQueueDrainError", 503), ("GenericError", 500)] {
        let lab = Lab::with(failing(class)).await;
        assert_eq!(lab.call("PUT", "/2/redistribute-config", Value::Null).await.status, status, "{class}");
    }
    let odd = Lab::with(Setup { answers: Arc::new(|_, _| Ok(json!({"no": "rows"}))), ..Setup::default() }).await;
    for path in ["/2/instances", "/2/instances?bulk=1", "/2/nodes/n/role"] {
        assert_eq!(odd.get(path).await.status, 502, "{path}");
    }
}

#[tokio::test]
async fn no_master() {
    let lab = Lab::with(Setup { master: false, ..Setup::default() }).await;
    for path in ["/2/info", "/2/instances", "/2/os"] {
        let reply = lab.get(path).await;
        assert_eq!(reply.status, 502, "{path}");
        assert!(reply.json()["message"].as_str().unwrap().starts_with("Master seems to be unreachable"));
    }
    assert_eq!(lab.get("/version").await.status, 200);
}

/// The connection that was kept belongs to a master that is gone: the question is asked again, a change is not.
#[tokio::test]
async fn a_master_that_was_started_anew() {
    let lab = Lab::with(Setup { master: false, ..Setup::default() }).await;
    let socket = lab.directory.path().join("luxi");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    let master = tokio::spawn(async move {
        use gannet_core::luxi::encode_success;
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        // each connection is answered once, then closed
        let mut calls = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            if stream.read(&mut request).await.unwrap_or(0) == 0 {
                continue;
            }
            calls += 1;
            if calls == 3 {
                continue;
            }
            stream.write_all(&encode_success(&json!({"name": calls}))).await.unwrap();
        }
    });
    assert_eq!(lab.get("/2/info").await.json()["name"], 1);
    assert_eq!(lab.get("/2/info").await.json()["name"], 2);
    // the third call finds an idle connection dead, and the new one closed before the answer
    assert_eq!(lab.get("/2/info").await.status, 502);
    assert_eq!(lab.get("/2/info").await.json()["name"], 4);
    master.abort();
}
