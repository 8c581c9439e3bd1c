//! The job queue with real daemons: limits, filters, cancellation, finished jobs, and jobs that want the same thing at once.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

use std::os::unix::net::UnixStream;
use std::time::Duration;

use gannet_core::luxi::{Client, Method};
use gannet_qa::{Cluster, jobs, wait_for};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);

/// A job that runs until [`release`], so that nothing here depends on time.
fn endless() -> Value {
    json!({"OP_ID": "OP_TEST_DELAY", "duration": 3600.0, "interruptible": true, "reason": []})
}

/// The same, holding the lock of the master's node.
fn holding_a_lock() -> Value {
    json!({"OP_ID": "OP_TEST_DELAY", "duration": 3600.0, "interruptible": true, "no_locks": false, "reason": []})
}

fn nothing_with(name: &str, value: Value) -> Value {
    let mut opcode = jobs::nothing();
    opcode[name] = value;
    opcode
}

fn submit(client: &mut Client, opcode: Value) -> u64 {
    jobs::submit(client, &[opcode]).unwrap()
}

/// Waits until the job works, and gives the socket that ends it.
fn socket(client: &mut Client, job: u64) -> String {
    wait_for(&format!("the socket of job {job}"), SOON, || {
        let row = jobs::fields(client, job, &["oplog"]).unwrap();
        let entry = row[0][0].as_array()?.iter().find(|entry| entry[2] == "delay-test")?;
        entry[3][0].as_str().map(str::to_owned)
    })
    .unwrap()
}

fn release(client: &mut Client, job: u64) {
    let socket = socket(client, job);
    drop(UnixStream::connect(socket).unwrap());
    assert_eq!(jobs::wait(client, job, SOON).unwrap().status, "success");
}

fn status(client: &mut Client, job: u64) -> String {
    jobs::status(client, job).unwrap()
}

#[track_caller]
fn ends(client: &mut Client, job: u64, expected: &str) {
    let ended = jobs::wait(client, job, SOON).unwrap();
    assert_eq!(ended.status, expected, "job {job}: {}", ended.text());
}

fn limit(cluster: &Cluster, jobs: u32) {
    cluster.line(&format!("gnt-cluster modify --max-running-jobs={jobs}")).ok();
}

#[test]
fn as_many_jobs_run_as_are_allowed_and_the_most_urgent_first() {
    let cluster = Cluster::fake(1);
    let mut client = cluster.luxi();
    limit(&cluster, 2);
    let (one, two) = (submit(&mut client, endless()), submit(&mut client, endless()));
    socket(&mut client, two);
    let low = submit(&mut client, nothing_with("priority", json!(10)));
    let normal = submit(&mut client, jobs::nothing());
    let high = submit(&mut client, nothing_with("priority", json!(-10)));
    let after_normal = submit(&mut client, nothing_with("depends", json!([[normal, []]])));
    let unwanted = submit(&mut client, nothing_with("priority", json!(-10)));
    let raised = submit(&mut client, nothing_with("priority", json!(10)));
    for job in [low, normal, high, after_normal, unwanted, raised] {
        assert_eq!(status(&mut client, job), "queued");
    }
    cluster.line(&format!("gnt-job cancel {unwanted}")).ok().says(&["canceled"]);
    assert_eq!(status(&mut client, unwanted), "canceled", "at once: nothing of it had begun");
    cluster.line(&format!("gnt-job change-priority --priority=high {raised}")).ok();
    release(&mut client, one);
    for job in [low, normal, high, after_normal, raised] {
        ends(&mut client, job, "success");
    }
    let start = |client: &mut Client, job: u64| jobs::fields(client, job, &["start_ts"]).unwrap()[0].to_string();
    let order = [high, raised, normal, after_normal, low].map(|job| start(&mut client, job));
    assert!(order.is_sorted(), "one place, so one after the other: {order:?}");
    assert_eq!(jobs::fields(&mut client, unwanted, &["start_ts"]).unwrap(), [Value::Null]);

    // A lower limit stops nobody, and counts for those who wait; a higher one counts at once.
    limit(&cluster, 1);
    let waits = submit(&mut client, jobs::nothing());
    assert_eq!(status(&mut client, waits), "queued");
    release(&mut client, two);
    ends(&mut client, waits, "success");
    limit(&cluster, 3);
    let three = [0; 3].map(|_| submit(&mut client, endless()));
    for job in three {
        socket(&mut client, job);
    }
    let fourth = submit(&mut client, jobs::nothing());
    assert_eq!(status(&mut client, fourth), "queued");

    // The queue is the same after a crash: what was promised, and what waits.
    let promised = submit(&mut client, jobs::nothing());
    cluster.line(&format!("gnt-job cancel {promised}")).ok();
    cluster.daemon(cluster.master(), "gannet-masterd").kill9();
    cluster.daemon(cluster.master(), "gannet-masterd").start();
    let mut client = cluster.luxi();
    assert_eq!(status(&mut client, promised), "canceled");
    for job in three {
        release(&mut client, job);
    }
    ends(&mut client, fourth, "success");
}

#[test]
fn what_was_told_of_a_cancellation_is_true() {
    let cluster = Cluster::fake(1);
    let mut client = cluster.luxi();
    let holder = submit(&mut client, holding_a_lock());
    socket(&mut client, holder);
    let waiter = submit(&mut client, holding_a_lock());
    wait_for("the second job waits for the lock", SOON, || (status(&mut client, waiter) == "waiting").then_some(())).unwrap();
    cluster.line(&format!("gnt-job cancel {waiter}")).ok().says(&["will be canceled"]);
    ends(&mut client, waiter, "canceled");
    cluster.line(&format!("gnt-job cancel {holder}")).refused(&["running"]);
    cluster.line(&format!("gnt-job cancel --kill --yes-do-it {holder}")).refused(&["killing it is not available"]);
    cluster.line(&format!("gnt-job cancel {waiter}")).refused(&["already finished"]);
    release(&mut client, holder);

    // Jobs that begin at the very moment: 4 clients cancel what they have just submitted.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = cluster.luxi();
                for _ in 0..50 {
                    let job = submit(&mut client, jobs::nothing());
                    let answer = client.call(Method::CancelJob, &json!([job, false])).unwrap();
                    let ended = jobs::wait(&mut client, job, SOON).unwrap();
                    let expected = if answer[0] == true { "canceled" } else { "success" };
                    assert_eq!(ended.status, expected, "job {job}: the answer was {answer}");
                }
            });
        }
    });
}

#[test]
fn filters_hold_back_reject_and_limit() {
    let cluster = Cluster::fake(1);
    let mut client = cluster.luxi();
    let delays = r#"--predicates=[["opcode", ["==", "OP_ID", "OP_TEST_DELAY"]]]"#;
    let rule = |verb: &str, action: &str, uuid: Option<&str>| {
        let action = format!("--action={action}");
        let arguments: Vec<&str> = [verb, "--priority=5", delays, &action].into_iter().chain(uuid).collect();
        cluster.gnt("gnt-filter", &arguments)
    };
    let uuid = rule("add", "PAUSE", None).ok().stdout.trim().to_owned();
    let held = submit(&mut client, jobs::nothing());
    cluster.line("gnt-cluster add-tags not-a-delay").ok();
    assert_eq!(status(&mut client, held), "queued");
    cluster.line("gnt-filter list").ok().says(&[&uuid, "PAUSE"]);
    cluster.line(&format!("gnt-filter info {uuid}")).ok().says(&["OP_TEST_DELAY", "gnt-filter add"]);

    // Rules are part of the configuration.
    cluster.daemon(cluster.master(), "gannet-masterd").kill9();
    cluster.daemon(cluster.master(), "gannet-masterd").start();
    let mut client = cluster.luxi();
    cluster.line("gnt-cluster add-tags again").ok();
    assert_eq!(status(&mut client, held), "queued");

    rule("replace", "RATE_LIMIT 1", Some(&uuid)).ok();
    ends(&mut client, held, "success");
    let (first, second) = (submit(&mut client, endless()), submit(&mut client, endless()));
    socket(&mut client, first);
    cluster.line("gnt-cluster add-tags beside").ok();
    assert_eq!(status(&mut client, second), "queued");
    release(&mut client, first);
    socket(&mut client, second);

    // A rejected job is canceled, one that runs goes on.
    let waits = submit(&mut client, jobs::nothing());
    rule("replace", "REJECT", Some(&uuid)).ok();
    ends(&mut client, waits, "canceled");
    let late = submit(&mut client, jobs::nothing());
    ends(&mut client, late, "canceled");
    assert!(jobs::ended(&mut client, late).unwrap().text().contains(&uuid), "it says which rule");
    assert_eq!(status(&mut client, second), "running");
    release(&mut client, second);

    // An earlier rule that accepts stands before it.
    let exempt = cluster
        .gnt("gnt-filter", &["add", "--priority=1", r#"--predicates=[["reason", ["==", "reason", "exempt"]]]"#, "--action=ACCEPT"])
        .ok()
        .stdout
        .trim()
        .to_owned();
    let exempted = submit(&mut client, nothing_with("reason", json!([["gnt:user", "exempt", 1]])));
    ends(&mut client, exempted, "success");
    cluster.line(&format!("gnt-filter delete {exempt}")).ok();

    // The same over RAPI, and what is wrong is said.
    let mut rapi = cluster.rapi();
    let path = format!("/2/filters/{uuid}");
    let answer = rapi.request("PUT", &path, Some(&json!({"priority": 7, "action": "CONTINUE"}))).unwrap();
    assert_eq!(answer.json(), json!(uuid));
    assert_eq!(rapi.get(&path).unwrap().json()["priority"], 7);
    let runs = submit(&mut client, jobs::nothing());
    ends(&mut client, runs, "success");
    let wrong = rapi.request("PUT", &path, Some(&json!({"action": "STOP"}))).unwrap();
    assert!(wrong.status >= 400 && String::from_utf8_lossy(&wrong.body).contains("no action of a filter"), "{wrong:?}");
    assert_eq!(rapi.request("DELETE", &path, None).unwrap().status, 200);
    assert_eq!(rapi.get(&path).unwrap().status, 404);
    cluster.line(&format!("gnt-filter delete {uuid}")).refused(&["not known"]);
    cluster.gnt("gnt-filter", &["add", r#"--predicates=[["jobs", null]]"#]).refused(&["no kind of predicate"]);
}

#[test]
fn finished_jobs_can_be_asked_for_wherever_they_are() {
    const MANY: usize = 1200;
    let cluster = Cluster::fake(1);
    let mut client = cluster.luxi();
    let tagged = submit(&mut client, json!({"OP_ID": "OP_TAGS_GET", "kind": "cluster", "name": null, "use_locking": false, "reason": []}));
    ends(&mut client, tagged, "success");
    let whole = ["id", "status", "summary", "opresult", "oplog", "opstatus", "ops", "received_ts", "end_ts"];
    let before = jobs::fields(&mut client, tagged, &whole).unwrap();
    let submitted = client.call(Method::SubmitManyJobs, &json!([vec![vec![jobs::nothing()]; MANY]])).unwrap();
    let ids: Vec<u64> = submitted.as_array().unwrap().iter().map(|one| jobs::id(&one[1]).unwrap()).collect();
    for id in &ids {
        ends(&mut client, *id, "success");
    }
    // The first one is in memory in brief only by now.
    assert_eq!(jobs::fields(&mut client, tagged, &whole).unwrap(), before);
    let change = client.call(Method::WaitForJobChange, &json!([tagged, ["status", "opresult"], null, null, 30])).unwrap();
    assert_eq!(change[0], json!([before[1], before[3]]));
    let all = |client: &mut Client, fields: &[&str]| {
        let rows = client.call(Method::QueryJobs, &json!([null, fields])).unwrap();
        rows.as_array().unwrap().clone()
    };
    let brief = all(&mut client, &["id", "status"]);
    let long = all(&mut client, &["id", "status", "opstatus"]);
    assert_eq!(brief.len(), long.len());
    assert!(brief.iter().zip(&long).all(|(brief, long)| brief[0] == long[0] && brief[1] == long[1] && long[2] == json!([brief[1]])));
    let filtered =
        client.call(Method::Query, &json!(["job", ["id"], ["&", ["==", "status", "success"], ["=[]", "opstatus", "success"]]])).unwrap();
    assert_eq!(filtered["data"].as_array().unwrap().len(), brief.len());

    cluster.line(&format!("gnt-job archive {tagged}")).ok();
    assert_eq!(jobs::fields(&mut client, tagged, &whole).unwrap(), before);
    cluster.line("gnt-job autoarchive all").ok();
    assert_eq!(jobs::fields(&mut client, ids[600], &["status", "archived"]).unwrap(), [json!("success"), json!(true)]);
    assert!(all(&mut client, &["id", "status"]).len() < 10);

    // And after a start, when all that is finished is in brief.
    let last = submit(&mut client, jobs::nothing());
    ends(&mut client, last, "success");
    cluster.daemon(cluster.master(), "gannet-masterd").stop();
    cluster.daemon(cluster.master(), "gannet-masterd").start();
    let mut client = cluster.luxi();
    assert_eq!(jobs::fields(&mut client, last, &["status", "opstatus"]).unwrap(), [json!("success"), json!(["success"])]);
    let next = submit(&mut client, jobs::nothing());
    assert!(next > last, "numbers are not used twice");
}

/// Runs all jobs at once; gives their ends.
fn at_once(cluster: &Cluster, opcodes: Vec<Value>) -> Vec<jobs::Ended> {
    let run = |opcode: Value| jobs::run(&mut cluster.luxi(), &[opcode], SOON).unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = opcodes.into_iter().map(|opcode| scope.spawn(move || run(opcode))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[track_caller]
fn exactly_one(ends: &[jobs::Ended]) {
    let succeeded = ends.iter().filter(|end| end.status == "success").count();
    assert_eq!(succeeded, 1, "{:?}", ends.iter().map(jobs::Ended::text).collect::<Vec<_>>());
}

#[test]
fn of_those_who_want_the_same_name_one_gets_it() {
    let cluster = Cluster::fake(1);
    let reason = json!([]);
    for round in 0..5 {
        let group = |_| json!({"OP_ID": "OP_GROUP_ADD", "group_name": format!("rack{round}"), "reason": reason});
        exactly_one(&at_once(&cluster, (0..6).map(group).collect()));
    }
    let rename = |number| json!({"OP_ID": "OP_GROUP_RENAME", "group_name": format!("rack{number}"), "new_name": "row", "reason": reason});
    exactly_one(&at_once(&cluster, (0..5).map(rename).collect()));
    let create = |_| {
        json!({"OP_ID": "OP_INSTANCE_CREATE", "instance_name": "web1", "mode": "create", "disk_template": "diskless", "disks": [], "nics": [],
            "os_type": "recording+default", "pnode": cluster.master().name, "hypervisor": "fake", "no_install": true, "start": false,
            "beparams": {"memory": 8}, "reason": reason})
    };
    exactly_one(&at_once(&cluster, (0..4).map(create).collect()));
    // Nobody loses what others write meanwhile to the same object, and nobody fails by it.
    let tag = |number| json!({"OP_ID": "OP_TAGS_SET", "kind": "cluster", "name": null, "tags": [format!("t{number}")], "reason": reason});
    let ends = at_once(&cluster, (0..24).map(tag).collect());
    assert!(ends.iter().all(|end| end.status == "success"), "{:?}", ends.iter().map(jobs::Ended::text).collect::<Vec<_>>());
    assert_eq!(cluster.line("gnt-cluster list-tags").ok().lines().len(), 24);
}

#[test]
fn tests_of_the_queue_and_of_its_hooks() {
    let cluster = Cluster::fake(2);
    cluster.line("gnt-debug test-jobqueue").ok().says(&["All tests of the job queue passed"]);
    let mut client = cluster.luxi();
    let dummy = submit(
        &mut client,
        json!({"OP_ID": "OP_TEST_DUMMY", "result": 1, "messages": [], "fail": false, "submit_jobs": null, "reason": []}),
    );
    ends(&mut client, dummy, "error");
    let query = jobs::run(
        &mut client,
        &[json!({"OP_ID": "OP_QUERY", "what": "node", "fields": ["name"], "use_locking": true, "reason": []})],
        SOON,
    )
    .unwrap();
    assert_eq!(query.opresult[0]["data"].as_array().map(Vec::len), Some(2), "{}", query.text());
    let fields = jobs::run(&mut client, &[json!({"OP_ID": "OP_QUERY_FIELDS", "what": "lock", "reason": []})], SOON).unwrap();
    assert!(fields.text().contains("\"pending\""), "{}", fields.text());
    let secret = cluster.line("gnt-debug test-osparams --os-parameters-secret=password=hunter2").ok();
    secret.clone().says(&["password"]);
    assert!(!secret.text().contains("hunter2"));
    cluster.line("gnt-debug test-osparams").refused(&["needs secret parameters"]);

    // The hook for changed configuration: on the master, after the change, for every operation that made one.
    let hooks = cluster.at(cluster.master(), "/etc/ganeti/hooks/config-update-post.d");
    let seen = cluster.at(cluster.master(), "/tmp/config-update");
    std::fs::create_dir_all(seen.parent().unwrap()).unwrap();
    std::fs::create_dir_all(&hooks).unwrap();
    let script = hooks.join("tell");
    std::fs::write(&script, format!("#!/bin/sh\necho $GANETI_OP_CODE $GANETI_HOOKS_PATH $GANETI_POST_OP_TARGET >> {}\n", seen.display()))
        .unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    cluster.line("gnt-cluster add-tags told").ok();
    cluster.line("gnt-cluster list-tags").ok();
    cluster.line("gnt-debug delay 0").ok();

    // A node that is being marked offline is not asked: it may be dead.
    let second = cluster.nodes[1].name.clone();
    cluster.daemon(&cluster.nodes[1], "gannet-noded").kill9();
    let modified = cluster.line(&format!("gnt-node modify --offline=yes --auto-promote {second}")).ok();
    assert!(!modified.text().contains("Hooks were not run"), "{}", modified.text());
    let told = std::fs::read_to_string(&seen).unwrap();
    assert_eq!(told.lines().map(str::trim).collect::<Vec<_>>(), ["OP_TAGS_SET config-update", "OP_NODE_SET_PARAMS config-update"]);
}
