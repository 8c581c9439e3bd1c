//! The death of the master, on a cluster of fake nodes of which three can be the master.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod at_every_step;
mod foreground;
mod standby;

use std::time::{Duration, Instant};

use gannet_core::luxi::{Client, Method, Origin};
use gannet_qa::cluster::Node;
use gannet_qa::daemon::{CONFD, MASTERD, NODED, RAPI};
use gannet_qa::jobs::{self, Ended};
use gannet_qa::{Cluster, inventory, wait_for};
use serde_json::{Value, json};

/// The longest that anything takes; only a failure waits for it.
const SOON: Duration = Duration::from_secs(60);
const ALL: [&str; 4] = [RAPI, MASTERD, NODED, CONFD];

/// Three nodes, all of them voters.
fn three() -> Cluster {
    let cluster = Cluster::with_candidates(3, 3).unwrap_or_else(|error| panic!("no cluster: {error:#}"));
    voters(&cluster, 0, 3);
    // The third voter counts in a passing configuration first, in which the loss of the first one is that of a majority.
    assert_eq!(jobs::run(&mut cluster.luxi(), &[jobs::nothing()], SOON).unwrap().status, "success");
    cluster
}

/// Waits until so many members vote, as the state store of a node's master daemon sees it.
#[track_caller]
fn voters(cluster: &Cluster, at: usize, count: usize) {
    let mut last = String::new();
    let found = wait_for(&format!("{count} voters"), SOON, || {
        let output = cluster.on(&cluster.nodes[at], "gannet-confd", &["status"]);
        last = output.stdout.clone();
        (last.lines().filter(|line| line.contains("voter")).count() == count).then_some(())
    });
    found.unwrap_or_else(|error| panic!("{error:#}: {last}"));
}

/// The first of these nodes that is the master, and a connection to it.
#[track_caller]
fn master(cluster: &Cluster, among: &[usize]) -> (usize, Client) {
    let found = wait_for("a master", SOON, || {
        among.iter().find_map(|at| {
            let mut client = Client::connect(&cluster.nodes[*at].luxi_socket).ok()?;
            client.call(Method::QueryClusterInfo, &json!([])).ok()?;
            // A standby answers too, and says that it is none.
            client.origin().is_none_or(Origin::is_master).then_some((*at, client))
        })
    });
    found.unwrap_or_else(|error| panic!("{error:#}"))
}

#[track_caller]
fn kill(cluster: &Cluster, node: &Node) {
    ALL.iter().for_each(|name| cluster.daemon(node, name).kill9());
}

#[track_caller]
fn start(cluster: &Cluster, node: &Node) {
    ALL.iter().rev().for_each(|name| cluster.daemon(node, name).start());
}

#[track_caller]
fn follow(client: &mut Client, id: u64) -> Ended {
    jobs::wait(client, id, SOON).unwrap()
}

fn creation(name: &str, node: &str) -> Value {
    json!({"OP_ID": "OP_INSTANCE_CREATE", "mode": "create", "instance_name": name, "disk_template": "sharedfile",
        "disks": [{"size": 16}], "nics": [], "os_type": "recording+default", "pnode": node, "hypervisor": "fake", "name_check": false,
        "ip_check": false})
}

#[track_caller]
fn clean(cluster: &Cluster, node: &Node) {
    let _ = cluster.on(node, "gnt-cluster", &["verify"]).ok();
}

/// The machine of the master dies with everything that runs on it, in the middle of jobs; it comes back later.
#[test]
fn the_master_dies() {
    let cluster = three();
    let mut client = cluster.luxi();
    let created = jobs::run(&mut client, &[creation("web1.example.com", &cluster.nodes[2].name)], SOON).unwrap();
    assert_eq!(created.status, "success", "{}", created.text());
    let running = jobs::submit(&mut client, &[jobs::delay(3.0)]).unwrap();
    let tagged = json!({"OP_ID": "OP_TAGS_SET", "kind": "cluster", "name": null, "tags": ["kept"], "depends": [[running, ["success"]]]});
    let waiting = jobs::submit(&mut client, &[tagged]).unwrap();
    wait_for("the job to run", SOON, || (jobs::status(&mut client, running).ok()? == "running").then_some(())).unwrap();

    let died = Instant::now();
    kill(&cluster, &cluster.nodes[0]);
    let (second, mut client) = master(&cluster, &[1, 2]);
    println!("another master after {:.2} s", died.elapsed().as_secs_f64());
    assert_eq!(follow(&mut client, running).status, "success", "it was begun again");
    assert_eq!(follow(&mut client, waiting).status, "success", "acknowledged jobs are not lost");
    let tags = client.call(Method::QueryTags, &json!(["cluster", ""])).unwrap();
    assert_eq!(tags, json!(["kept"]));
    let after = jobs::submit(&mut client, &[jobs::nothing()]).unwrap();
    assert!(after > waiting, "numbers of jobs are never used again");
    assert_eq!(follow(&mut client, after).status, "success");

    // It comes back, and knows who the master is.
    start(&cluster, &cluster.nodes[0]);
    let name = &cluster.nodes[second].name;
    wait_for("the old master to know the new one", SOON, || {
        let output = cluster.on(&cluster.nodes[0], "gnt-cluster", &["getmaster"]);
        (output.stdout.trim() == name).then_some(())
    })
    .unwrap();
    let listed = cluster.on(&cluster.nodes[0], "gnt-instance", &["list", "--no-headers", "-o", "name"]).ok();
    assert_eq!(listed.lines(), ["web1.example.com"], "{}", listed.describe());
    clean(&cluster, &cluster.nodes[second]);

    // And the second one dies.
    kill(&cluster, &cluster.nodes[second]);
    let others: Vec<usize> = (0..3).filter(|at| *at != second).collect();
    let (third, mut client) = master(&cluster, &others);
    assert_ne!(third, second);
    assert_eq!(jobs::run(&mut client, &[jobs::nothing()], SOON).unwrap().status, "success");
    let names = client.call(Method::QueryInstances, &json!([["web1.example.com"], ["name"], false])).unwrap();
    assert_eq!(names, json!([["web1.example.com"]]));
}

/// The master stands still in the middle of a creation; another one takes over; it wakes up and changes nothing any more.
#[test]
fn a_master_that_slept_is_harmless() {
    let cluster = three();
    let mut client = cluster.luxi();
    let mut op = creation("web1.example.com", &cluster.nodes[2].name);
    op["os_type"] = json!("waiting+default");
    let hold = cluster.at(&cluster.nodes[2], "/srv/ganeti/hold");
    std::fs::write(&hold, "").unwrap();
    let id = jobs::submit(&mut client, &[op]).unwrap();
    let image = cluster.shared_storage().join("web1.example.com");
    wait_for("the job to make the disk", SOON, || image.exists().then_some(())).unwrap();
    // Only the daemons of the role: its agent goes on, as the node's guests do.
    cluster.daemon(&cluster.nodes[0], CONFD).freeze();
    cluster.daemon(&cluster.nodes[0], MASTERD).freeze();
    let (second, mut client) = master(&cluster, &[1, 2]);
    std::fs::remove_file(&hold).unwrap();
    let ended = follow(&mut client, id);
    assert_eq!(ended.status, "error", "a creation is taken back: {}", ended.text());
    wait_for("the disk to go", SOON, || (!image.exists()).then_some(())).unwrap();

    cluster.daemon(&cluster.nodes[0], MASTERD).thaw();
    cluster.daemon(&cluster.nodes[0], CONFD).thaw();
    wait_for("the old master to step down", SOON, || {
        let mut client = Client::connect(&cluster.nodes[0].luxi_socket).ok();
        let answer = client.as_mut().map(|client| client.call(Method::QueryClusterInfo, &json!([])));
        let is_master = || client.as_ref().is_some_and(|client| client.origin().is_none_or(Origin::is_master));
        (answer.is_none_or(|answer| answer.is_err()) || !is_master()).then_some(())
    })
    .unwrap();
    assert!(!image.exists() && inventory::guests(&cluster).is_empty(), "it had the creation in its hands");
    assert_eq!(jobs::run(&mut client, &[jobs::nothing()], SOON).unwrap().status, "success", "the new one goes on");
    clean(&cluster, &cluster.nodes[second]);
}

/// Without a majority nothing is acknowledged; with it, the cluster goes on by itself.
#[test]
fn without_a_majority_nothing_is_written() {
    let cluster = three();
    kill(&cluster, &cluster.nodes[1]);
    kill(&cluster, &cluster.nodes[2]);
    // A majority that was there a moment ago may still answer; what is written then is not acknowledged. Soon it is refused at once.
    wait_for("a refusal with its reason", SOON, || {
        let mut client = Client::connect(&cluster.nodes[0].luxi_socket).ok()?;
        let refused = client.call(Method::SubmitJob, &json!([[jobs::nothing()]]));
        let reason = refused.expect_err("nothing is acknowledged").to_string();
        reason.contains("no majority of the voting master candidates").then_some(())
    })
    .unwrap();
    start(&cluster, &cluster.nodes[1]);
    let (_, mut client) = master(&cluster, &[0, 1]);
    let ended = wait_for("a job", SOON, || jobs::run(&mut client, &[jobs::nothing()], SOON).ok()).unwrap();
    assert_eq!(ended.status, "success");
}

/// Members follow the candidates.
#[test]
fn candidates_come_and_go() {
    let cluster = three();
    let third = cluster.nodes[2].name.clone();
    let _ = cluster.line(&format!("gnt-node modify --master-candidate=no --auto-promote {third}"));
    let _ = cluster.line("gnt-cluster modify --candidate-pool-size=2").ok();
    let _ = cluster.line(&format!("gnt-node modify --master-candidate=no {third}")).ok();
    voters(&cluster, 0, 1);
    let daemon = cluster.daemon(&cluster.nodes[2], CONFD);
    wait_for("the end of the copy", SOON, || {
        (daemon.pid().is_none() && !cluster.at(&cluster.nodes[2], "/var/lib/ganeti/ca.key").exists()).then_some(())
    })
    .unwrap();
    let _ = cluster.line("gnt-cluster modify --candidate-pool-size=3").ok();
    let _ = cluster.line(&format!("gnt-node modify --master-candidate=yes {third}"));
    voters(&cluster, 0, 3);
    clean(&cluster, &cluster.nodes[0]);
    // A node that leaves keeps nothing.
    let _ = cluster.line(&format!("gnt-node remove {third}")).ok();
    voters(&cluster, 0, 1);
    assert!(!cluster.at(&cluster.nodes[2], "/var/lib/ganeti/master.pem").exists());
}

/// An operator makes another node the master, in the middle of a job.
#[test]
fn the_role_is_handed_over() {
    let cluster = three();
    let mut client = cluster.luxi();
    let running = jobs::submit(&mut client, &[jobs::delay(3.0)]).unwrap();
    let begun = Instant::now();
    let _ = cluster.on(&cluster.nodes[2], "gnt-cluster", &["master-failover"]).ok();
    println!("handed over in {:.2} s", begun.elapsed().as_secs_f64());
    let mut client = Client::connect(&cluster.nodes[2].luxi_socket).unwrap();
    assert_eq!(follow(&mut client, running).status, "success", "no job is lost");
    let _ = cluster.on(&cluster.nodes[2], "gnt-cluster", &["master-failover"]).refused(&["already the master"]);
    clean(&cluster, &cluster.nodes[2]);
    // And back.
    let _ = cluster.on(&cluster.nodes[0], "gnt-cluster", &["master-failover"]).ok();
    assert_eq!(jobs::run(&mut cluster.luxi(), &[jobs::nothing()], SOON).unwrap().status, "success");
}

/// A candidate that died is taken out of the group when it is marked offline, and comes back as a new member, whatever it has
/// counted alone meanwhile.
#[test]
fn a_candidate_that_was_offline_comes_back() {
    let cluster = three();
    let third = cluster.nodes[2].name.clone();
    kill(&cluster, &cluster.nodes[2]);
    let _ = cluster.line(&format!("gnt-node modify --offline=yes {third}")).ok();
    voters(&cluster, 0, 1);
    // Its daemons start as a machine's do after a reboot: with the memory of a group that goes on without it.
    start(&cluster, &cluster.nodes[2]);
    assert_eq!(jobs::run(&mut cluster.luxi(), &[jobs::nothing()], SOON).unwrap().status, "success");
    let _ = cluster.line(&format!("gnt-node modify --offline=no {third}")).ok();
    voters(&cluster, 0, 3);
    assert_eq!(jobs::run(&mut cluster.luxi(), &[jobs::nothing()], SOON).unwrap().status, "success", "the master is the same");
    kill(&cluster, &cluster.nodes[0]);
    let (_, mut client) = master(&cluster, &[1, 2]);
    assert_eq!(jobs::run(&mut client, &[jobs::nothing()], SOON).unwrap().status, "success");
}
