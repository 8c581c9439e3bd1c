//! Answers that do not come from a master that is sure of itself.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod common;

use std::sync::Arc;

use common::{Lab, Setup, recorded};
use gannet_core::error::WireError;
use gannet_core::luxi::Origin;
use serde_json::{Value, json};

fn origin(old: Option<&str>) -> Option<Origin> {
    Some(Origin { node: "node2".into(), master: Some("node1".into()), old: old.map(str::to_owned) })
}

#[tokio::test]
async fn a_standby_says_who_the_master_is() {
    let lab = Lab::with(Setup { origin: origin(None), ..Setup::default() }).await;
    let plain = Lab::start().await;
    for path in ["/2/instances", "/2/instances?bulk=1", "/2/info", "/2/jobs/9", "/2/instances/unknown", "/2/nodes/node1/role"] {
        let (reply, direct) = (lab.get(path).await, plain.get(path).await);
        assert_eq!((reply.status, &reply.body), (direct.status, &direct.body), "{path}");
        assert_eq!(reply.headers["x-gannet-node"], "node2", "{path}");
        assert_eq!(reply.headers["x-gannet-master"], "node1", "{path}");
        assert!(!reply.headers.contains_key("warning"), "{path}: it is as good as the master's");
        assert!(!direct.headers.contains_key("x-gannet-node"), "{path}");
    }
    let submitted = lab.call("PUT", "/2/instances/web1/startup", Value::Null).await;
    assert_eq!((submitted.status, submitted.json()), (200, json!(10)));
    assert_eq!(submitted.headers["x-gannet-master"], "node1");
    let waited = lab.call("GET", "/2/jobs/9/wait", json!({"fields": ["status"]})).await;
    assert_eq!((waited.status, &waited.headers["x-gannet-node"]), (200, &"node2".parse().unwrap()));
}

#[tokio::test]
async fn what_may_be_old_says_so_and_writes_are_refused() {
    let answers = |method: &str, args: &Value| match method {
        "SubmitJob" => Err(WireError::new("StateUnavailable", "no majority; see `gnt-cluster recover`")),
        _ => recorded(method, args),
    };
    let lab = Lab::with(Setup { answers: Arc::new(answers), origin: origin(Some("no majority")), ..Setup::default() }).await;
    for path in ["/2/instances?bulk=1", "/2/instances/unknown"] {
        let reply = lab.get(path).await;
        assert_eq!(reply.headers["warning"], "110 node2 \"no majority\"", "{path}: {}", reply.status);
    }
    let refused = lab.call("PUT", "/2/instances/web1/startup", Value::Null).await;
    assert_eq!(refused.status, 503);
    assert!(refused.json()["message"].as_str().unwrap().contains("gnt-cluster recover"), "{:?}", refused.json());
}
