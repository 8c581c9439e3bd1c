//! Following jobs.

use gannet_core::error::{ErrorCode, WireError};
use serde_json::json;

use crate::support::Master;

#[test]
fn the_log_is_shown_with_its_times() {
    let log = json!([[1, [1_762_336_800, 5], "message", " - INFO: one"], [2, [1_762_336_801, 5], "message-list", ["two", "three"]]]);
    let master = Master::new().finished("success", json!(null), log);
    insta::assert_snapshot!(master.run("gnt-node remove n2").all());
}

#[test]
fn submitting_only() {
    let master = Master::new();
    let output = master.run("gnt-instance shutdown --submit web1");
    // One named instance is looked up first, so the fake master needs no answer only for `remove -f`.
    assert_ne!(output.code, 0);
    let output = master.run("gnt-instance remove -f --submit web1");
    assert_eq!((output.code, output.out.as_str()), (0, "JobID: 42\n"));
    let output = master.run("gnt-instance remove -f --print-jobid web1");
    assert_eq!((output.code, output.out.as_str()), (0, "42\n"));
}

#[test]
fn failures_of_jobs() {
    let refused = WireError::prereq("Instance is running", ErrorCode::State).to_json();
    insta::assert_snapshot!("job_refused", Master::new().finished("error", refused, json!([])).run("gnt-instance remove -f web1").all());
    let failed = WireError::exec("no space").to_json();
    let output = Master::new().finished("error", failed, json!([])).run("gnt-instance remove -f web1");
    assert_eq!((output.code, output.err.as_str()), (1, "Failure: command execution error:\nno space\n"));
    let output = Master::new().finished("canceled", json!(null), json!([])).run("gnt-instance remove -f web1");
    assert_eq!((output.code, output.err.as_str()), (1, "Failure: command execution error:\nJob was canceled\n"));
}

#[test]
fn many_instances() {
    let master = Master::new().answer("QueryInstances", json!([["web1"], ["web2"], ["web3"]]));
    insta::assert_snapshot!("many", master.run("gnt-instance shutdown --force-multiple web1 web2 web3").all());
    let jobs = master.asked("SubmitManyJobs");
    assert_eq!(jobs[0][0].as_array().unwrap().len(), 3);
    assert_eq!(jobs[0][0][2][0]["instance_name"], "web3");
    let submitted = master.run("gnt-instance shutdown --force-multiple --submit web1 web2 web3");
    assert_eq!(submitted.out, "43: web1\n44: web2\n45: web3\n");
}

#[test]
fn watching() {
    let log = json!([[1, [1_762_336_800, 5], "message", "step"]]);
    let master = Master::new().finished("success", json!(null), log);
    insta::assert_snapshot!("watch", master.run("gnt-job watch 7").all());
    let output = master.run("gnt-job wait 7");
    assert_eq!((output.code, output.out.as_str()), (0, ""));
}

#[test]
fn verification_counts_results() {
    let jobs = |result: serde_json::Value| Master::new().answer("QueryJobs", json!([[["success"], [result]]])).run("gnt-cluster verify");
    // The first job's result names the others; the fake gives the same answer for all of them.
    let master = Master::new().job(json!({"jobs": [[true, 43]]}));
    let output = master.run("gnt-cluster verify");
    assert_eq!(output.code, 1, "a result that is not true is an error found: {output:?}");
    assert_eq!(jobs(json!(null)).code, 0);
}

#[test]
fn changing_jobs() {
    let master = Master::new()
        .answer("CancelJob", json!([true, "Job 3 canceled"]))
        .answer("CancelJob", json!([false, "Job 4 has already finished"]))
        .answer("ArchiveJob", json!(true))
        .answer("AutoArchiveJobs", json!([5, 1]))
        .answer("ChangeJobPriority", json!([true, "Priorities of pending opcodes for job 3 have been changed to -10"]));
    insta::assert_snapshot!("cancel", master.run("gnt-job cancel 3 4").all());
    assert_eq!(master.run("gnt-job archive 3").code, 0);
    assert_eq!(master.run("gnt-job autoarchive 1d").out, "Archived 5 jobs, 1 unchecked left\n");
    assert_eq!(master.run("gnt-job autoarchive all").code, 0);
    assert_eq!(master.asked("AutoArchiveJobs"), [json!([86400, 89]), json!([-1, 89])]);
    assert_eq!(master.run("gnt-job change-priority --priority high 3").code, 0);
    assert_eq!(master.asked("ChangeJobPriority"), [json!([3, -10])]);
}

#[test]
fn joining_a_node() {
    let master = Master::new()
        .answer("CreateJoinToken", json!({"id": "t1", "node": "node2.example.com", "token": "T", "expires": 1_762_336_800}))
        .answer("JoinStatus", json!({"state": "waiting", "job": null}))
        .answer("JoinStatus", json!({"state": "submitted", "job": 42}));
    insta::assert_snapshot!("join", master.run("gnt-node add -g g1 --vm-capable no --force-join -v node2").all());
    let asked = master.asked("CreateJoinToken");
    assert_eq!((&asked[0][0], &asked[0][1]["group"], &asked[0][1]["vm_capable"]), (&json!("node2"), &json!("g1"), &json!(false)));
    assert!(asked[0][1].get("node_name").is_none() && asked[0][1]["reason"].is_array(), "{asked:?}");
    assert_eq!(master.asked("JoinStatus")[0], json!(["t1"]));
    let late = Master::new()
        .answer("CreateJoinToken", json!({"id": "t1", "node": "node2.example.com", "token": "T", "expires": 1_762_336_800}))
        .answer("JoinStatus", json!({"state": "expired", "job": null}));
    let output = late.run("gnt-node add node2.example.com");
    assert_eq!(output.code, 12);
    assert!(output.err.contains("Run `gnt-node add node2.example.com` again"), "{}", output.err);
}
