//! What candidates answer that are not the master, by LUXI and RAPI, with a master, with a new one, and without any.

use std::time::{Duration, Instant};

use gannet_qa::cluster::Node;
use gannet_qa::{Cluster, jobs, rapi, wait_for};
use serde_json::{Value, json};

use crate::{SOON, creation, kill, master, start, three, voters};

/// A refusal must come faster than this, once it is known that there is no majority.
const AT_ONCE: Duration = Duration::from_secs(2);

#[track_caller]
fn rapi(cluster: &Cluster, node: &Node) -> rapi::Connection {
    wait_for("RAPI", SOON, || rapi::Connection::to(cluster, node).ok()).unwrap()
}

/// Sets a tag of the cluster by a node's RAPI, waits for the job there, and reads the tags there.
#[track_caller]
fn tag(cluster: &Cluster, node: &Node, tag: &str) -> Vec<String> {
    let mut connection = rapi(cluster, node);
    let submitted = connection.request("PUT", &format!("/2/tags?tag={tag}"), None).unwrap();
    assert_eq!(submitted.status, 200, "{}", String::from_utf8_lossy(&submitted.body));
    let job = submitted.json();
    let mut seen = Value::Null;
    wait_for("the job", SOON, || {
        let body = json!({"fields": ["status"], "previous_job_info": seen, "previous_log_serial": null});
        let change = connection.request("GET", &format!("/2/jobs/{job}/wait"), Some(&body)).unwrap().json();
        seen = change["job_info"].clone();
        seen[0].as_str().is_some_and(jobs::is_final).then_some(())
    })
    .unwrap();
    assert_eq!(seen, json!(["success"]));
    assert_eq!(connection.get(&format!("/2/jobs/{job}")).unwrap().json()["status"], "success");
    serde_json::from_value(connection.get("/2/tags").unwrap().json()).unwrap()
}

#[test]
fn a_standby_reads_its_copy_and_passes_changes_on() {
    let cluster = three();
    let [first, second, third] = [0, 1, 2].map(|at| &cluster.nodes[at]);
    let created = jobs::run(&mut cluster.luxi(), &[creation("web1.example.com", &third.name)], SOON).unwrap();
    assert_eq!(created.status, "success", "{}", created.text());

    // What was written is read, whoever wrote it and wherever it is read.
    for round in 0..10 {
        let node = [second, third, first][round % 3];
        let name = format!("round{round}");
        assert!(tag(&cluster, node, &name).contains(&name), "{name} on {}", node.name);
        let other = [third, first, second][round % 3];
        let tags: Vec<String> = serde_json::from_value(rapi(&cluster, other).get("/2/tags").unwrap().json()).unwrap();
        assert!(tags.contains(&name), "{name} on {}", other.name);
    }
    let mut connection = rapi(&cluster, second);
    let read = connection.get("/2/instances/web1.example.com").unwrap();
    assert_eq!((read.status, read.json()["oper_state"].clone()), (200, json!(true)), "live data comes from the nodes");
    assert_eq!((read.header("x-gannet-node"), read.header("x-gannet-master")), (Some(second.name.as_str()), Some(first.name.as_str())));
    assert_eq!(read.header("warning"), None, "it is as new as the master's");
    assert_eq!(rapi(&cluster, first).get("/2/info").unwrap().header("x-gannet-node"), None, "the master says nothing of it");
    let unknown = connection.get("/2/instances/nothing").unwrap();
    assert_eq!(unknown.status, 404);

    // Commands work on each candidate.
    let _ = cluster.on(second, "gnt-instance", &["add-tags", "web1.example.com", "by-standby"]).ok();
    let listed = cluster.on(third, "gnt-instance", &["list", "--no-headers", "-o", "name,tags,status"]).ok();
    assert_eq!(listed.lines()[0].split_whitespace().collect::<Vec<_>>(), ["web1.example.com", "by-standby", "running"]);
    assert_eq!(listed.stderr, "");
    let _ = cluster.on(second, "gnt-cluster", &["verify"]).ok();
    // But not those that work with files of the master.
    let refused = cluster.on(second, "gnt-cluster", &["copyfile", "/etc/hosts"]);
    assert_eq!(refused.code(), 11, "{}", refused.describe());
    assert!(refused.stderr.contains(&first.name), "{}", refused.describe());
}

/// `(name, role, term, lag)` of all nodes, as a command on `node` lists them.
#[track_caller]
fn roles(cluster: &Cluster, node: &Node) -> Vec<(String, String, String, String)> {
    let words = ["list", "--no-headers", "--separator=|", "-o", "name,store.role,store.term,store.lag"];
    let listed = cluster.on(node, "gnt-node", &words).ok();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        (cells[0].to_owned(), cells[1].to_owned(), cells[2].to_owned(), cells[3].to_owned())
    };
    listed.stdout.lines().map(row).collect()
}

#[test]
fn roles_are_shown() {
    let cluster = three();
    let [first, second, third] = [0, 1, 2].map(|at| &cluster.nodes[at]);
    for node in [first, third] {
        let rows = wait_for("everybody to be level", SOON, || {
            let rows = roles(&cluster, node);
            rows.iter().all(|row| row.3 == "0").then_some(rows)
        })
        .unwrap();
        let told: Vec<(&str, &str)> = rows.iter().map(|row| (row.0.as_str(), row.1.as_str())).collect();
        assert_eq!(told, [(first.name.as_str(), "leader"), (second.name.as_str(), "voter"), (third.name.as_str(), "voter")]);
        assert!(rows.iter().all(|row| row.2 == rows[0].2 && row.2.parse::<u64>().is_ok()), "{rows:?}");
    }
    // A node that runs no instances only votes; one that is away falls behind.
    let _ = cluster.line(&format!("gnt-node modify --vm-capable=no {}", second.name)).ok();
    kill(&cluster, third);
    let _ = cluster.line("gnt-cluster add-tags behind").ok();
    let rows = roles(&cluster, first);
    assert_eq!(rows[1].1, "witness");
    assert!(rows[2].3.parse::<u64>().unwrap() > 0, "{rows:?}");
    let info = cluster.on(first, "gnt-cluster", &["info"]).ok();
    for part in ["State group:", &format!("{}: leader", first.name), &format!("{}: witness", second.name)] {
        assert!(info.stdout.contains(part), "{part}: {}", info.describe());
    }
    let asked = rapi(&cluster, first).get("/2/query/node?fields=name,store.role").unwrap().json();
    assert_eq!(asked["data"][1][1], json!([0, "witness"]), "{asked}");
    start(&cluster, third);
    wait_for("the third one to catch up", SOON, || (roles(&cluster, first)[2].3 == "0").then_some(())).unwrap();
}

/// A node that has a copy and no majority: reads go on and say that they may be old; writes are refused at once.
#[track_caller]
fn without_majority(cluster: &Cluster, node: &Node) {
    let mut connection = rapi(cluster, node);
    let old = wait_for("a warning", SOON, || {
        let read = connection.get("/2/instances/web1.example.com").unwrap();
        read.header("warning")
            .map(str::to_owned)
            .inspect(|_| assert_eq!((read.status, &read.json()["name"]), (200, &json!("web1.example.com"))))
    })
    .unwrap();
    assert!(old.starts_with("110 ") && old.contains("majority") | old.contains("no master"), "{old}");
    let jobs = connection.get("/2/jobs").unwrap();
    assert_eq!(jobs.status, 200);
    assert!(!jobs.json().as_array().unwrap().is_empty() && jobs.header("warning").is_some());
    let begun = Instant::now();
    let refused = connection.request("PUT", "/2/tags?tag=lost", None).unwrap();
    assert!(begun.elapsed() < AT_ONCE, "refused after {:.1} s", begun.elapsed().as_secs_f64());
    assert_eq!(refused.status, 503, "{}", String::from_utf8_lossy(&refused.body));
    assert!(refused.json()["message"].as_str().unwrap().contains("majority of the voting master candidates"), "{}", refused.json());

    let listed = cluster.on(node, "gnt-instance", &["list", "--no-headers", "-o", "name"]).ok();
    assert_eq!(listed.lines(), ["web1.example.com"]);
    assert!(listed.stderr.contains("may be old"), "{}", listed.describe());
    let begun = Instant::now();
    let refused = cluster.on(node, "gnt-cluster", &["add-tags", "lost"]);
    assert_eq!(refused.code(), 1, "{}", refused.describe());
    assert!(refused.stderr.contains("majority") && begun.elapsed() < AT_ONCE, "{}", refused.describe());
}

#[test]
fn without_a_majority_copies_are_read() {
    let cluster = three();
    let [first, second, third] = [0, 1, 2].map(|at| &cluster.nodes[at]);
    let created = jobs::run(&mut cluster.luxi(), &[creation("web1.example.com", &third.name)], SOON).unwrap();
    assert_eq!(created.status, "success", "{}", created.text());

    // The master alone.
    kill(&cluster, second);
    kill(&cluster, third);
    without_majority(&cluster, first);
    // A standby alone, which was there when the master died …
    start(&cluster, third);
    voters(&cluster, 0, 3);
    let (at, _) = master(&cluster, &[0, 2]);
    wait_for("writes", SOON, || (cluster.on(&cluster.nodes[at], "gnt-cluster", &["add-tags", "back"]).code() == 0).then_some(())).unwrap();
    let other = if at == 0 { third } else { first };
    kill(&cluster, &cluster.nodes[at]);
    without_majority(&cluster, other);
    // … and one that has only just started.
    kill(&cluster, other);
    start(&cluster, other);
    without_majority(&cluster, other);

    start(&cluster, second);
    let among = if at == 0 { [1, 2] } else { [1, 0] };
    master(&cluster, &among);
    let tags = tag(&cluster, other, "again");
    assert!(!tags.contains(&"lost".to_owned()) && tags.contains(&"back".to_owned()), "{tags:?}");
    let read = rapi(&cluster, other).get("/2/instances/web1.example.com").unwrap();
    assert_eq!((read.status, read.header("warning")), (200, None));
}

/// Clients of a standby hear nothing of a failover but that it takes a moment.
#[test]
fn a_standby_passes_on_to_the_next_master() {
    let cluster = three();
    kill(&cluster, &cluster.nodes[0]);
    let begun = Instant::now();
    // At once: no master is there, one will be soon.
    let third = &cluster.nodes[2];
    assert!(tag(&cluster, third, "during").contains(&"during".to_owned()));
    println!("a change through a standby took {:.2} s after the master's death", begun.elapsed().as_secs_f64());
    let _ = cluster.on(third, "gnt-cluster", &["add-tags", "after"]).ok();
    let (at, _) = master(&cluster, &[1, 2]);
    let told = cluster.on(third, "gnt-cluster", &["getmaster"]).ok();
    assert_eq!(told.stdout.trim(), cluster.nodes[at].name);
}
