//! Debian's RAPI client (package `python3-ganeti-rapi`) against the server: `python_client.py` has the calls.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "a test has its own deadline")]

mod common;

use common::Lab;

#[tokio::test]
async fn debians_client() {
    let lab = Lab::start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python_client.py");
    let run = tokio::process::Command::new("/usr/bin/python3")
        .arg(script)
        .arg(lab.address.port().to_string())
        .arg(lab.directory.path().join("rapi.pem"))
        .kill_on_drop(true)
        .output();
    let output =
        tokio::time::timeout(std::time::Duration::from_secs(60), run).await.expect("the client ends").expect("python3 is installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}\n{}\n(it needs the packages python3 and python3-ganeti-rapi)",
        text(&output.stdout),
        text(&output.stderr)
    );
    assert_eq!(text(&output.stdout), "done\n");
    let asked = lab.asked.lock().unwrap();
    let submitted: Vec<&str> =
        asked.iter().filter(|(method, _)| method == "SubmitJob").filter_map(|(_, args)| args[0][0]["OP_ID"].as_str()).collect();
    for op_id in [
        "OP_INSTANCE_CREATE",
        "OP_INSTANCE_STARTUP",
        "OP_INSTANCE_SHUTDOWN",
        "OP_INSTANCE_REBOOT",
        "OP_INSTANCE_MIGRATE",
        "OP_INSTANCE_FAILOVER",
        "OP_INSTANCE_REMOVE",
        "OP_NODE_MIGRATE",
    ] {
        assert!(submitted.contains(&op_id), "{op_id} is missing in {submitted:?}");
    }
}
