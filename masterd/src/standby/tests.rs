//! What a standby does with a question.

use bytes::Buf;
use serde_json::json;

use super::*;

#[test]
fn what_changes_something_is_asked_once_and_of_the_master() {
    let query = |what: &str, fields: &[&str]| way(Method::Query, &json!([what, fields, null]));
    assert_eq!(query("instance", &["name", "status"]), Way::Here);
    assert_eq!(query("job", &["id"]), Way::There);
    assert_eq!(query("lock", &["name"]), Way::ThereOnly);
    assert_eq!(query("node", &["name", "store.lag"]), Way::There, "only the leader knows");
    assert_eq!(way(Method::Query, &json!(["node", ["name"], ["=", "store.role", "leader"]])), Way::There);
    assert_eq!(way(Method::QueryNodes, &json!([[], ["store.role"], false])), Way::There);
    assert_eq!(way(Method::QueryJobs, &json!([null, ["id"]])), Way::There);
    assert_eq!(way(Method::WaitForJobChange, &json!([1, ["status"], null, null, 1])), Way::ThereOnly);
    for method in [Method::SubmitJob, Method::SubmitManyJobs, Method::CancelJob, Method::SetDrainFlag, Method::CreateJoinToken] {
        assert_eq!(way(method, &json!([])), Way::Once, "{method:?}");
    }
}

/// An answer's origin and result, or the class of the refusal.
fn read(reply: Reply) -> (Option<Origin>, Result<Value, String>) {
    let Reply::Frame(mut frame) = reply else { panic!("an answer was expected") };
    let mut bytes = frame.copy_to_bytes(frame.remaining()).to_vec();
    bytes.pop();
    let origin = take_origin(&mut bytes).unwrap();
    let result = decode_response(&bytes).map_err(|error| match error {
        gannet_core::luxi::Error::Remote(error) => error.class,
        other => other.to_string(),
    });
    (origin, result)
}

/// Nobody leads and there is no copy yet: it is waited for a master, and then refused at once.
#[tokio::test(start_paused = true)]
async fn without_a_master_nothing_hangs() {
    let root = tempfile::tempdir().unwrap();
    let standby = Standby::new(Paths::new(Some(root.path().to_owned())));
    standby.view.send_modify(|view| view.own = "node2".to_owned());
    let mut waited = Vec::new();
    for (method, args) in [(Method::SubmitJob, json!([[]])), (Method::QueryClusterInfo, json!([])), (Method::SetDrainFlag, json!([true]))] {
        let begun = Instant::now();
        let (origin, result) = read(standby.answer(&mut None, method, &args, b"{}").await);
        assert_eq!(result, Err(STATE_UNAVAILABLE.to_owned()), "{method:?}");
        assert_eq!(origin, Some(Origin { node: "node2".into(), master: None, old: None }));
        waited.push(begun.elapsed());
    }
    assert!(waited[0] > PATIENCE && waited[0] < PATIENCE * 2, "{waited:?}");
    assert!(waited[1..].iter().all(|waited| waited.is_zero()), "{waited:?}");
}

/// Who has asked when this node begins to lead is answered by the active daemon.
#[tokio::test(start_paused = true)]
async fn a_standby_that_leads_hands_the_question_over() {
    let root = tempfile::tempdir().unwrap();
    let standby = Standby::new(Paths::new(Some(root.path().to_owned())));
    let asking = standby.clone();
    let asked = tokio::spawn(async move { asking.answer(&mut None, Method::SubmitJob, &json!([[]]), b"{}").await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    standby.view.send_modify(|view| (view.leads, view.leaderless) = (true, None));
    assert!(matches!(asked.await.unwrap(), Reply::Leads));
}
