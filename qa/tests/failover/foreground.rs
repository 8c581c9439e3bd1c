//! Commands that follow a job, on every candidate, while the master dies: they see the end of the job.

use std::thread::{ScopedJoinHandle, scope};

use gannet_qa::cluster::Node;
use gannet_qa::daemon::{CONFD, MASTERD};
use gannet_qa::{Cluster, Output, jobs, wait_for};
use serde_json::json;

use crate::{SOON, kill, master, start, three};

/// A job that runs, and whatever comes later waits for its end, since only one may run at a time. Gives its number.
fn busy(cluster: &Cluster, seconds: f64) -> u64 {
    let _ = cluster.line("gnt-cluster modify --max-running-jobs=1").ok();
    let mut client = cluster.luxi();
    let running = jobs::submit(&mut client, &[jobs::delay(seconds)]).unwrap();
    wait_for("the job to run", SOON, || (jobs::status(&mut client, running).ok()? == "running").then_some(())).unwrap();
    running
}

/// The number of the job that creates the instance, once it is there.
#[track_caller]
fn creation(cluster: &Cluster, name: &str) -> u64 {
    let mut client = cluster.luxi();
    let found = wait_for("the creation to be submitted", SOON, || {
        let rows = client.call(gannet_core::luxi::Method::QueryJobs, &json!([null, ["id", "summary"]])).ok()?;
        rows.as_array()?.iter().find(|row| row[1].to_string().contains(name)).and_then(|row| jobs::id(&row[0]).ok())
    });
    found.unwrap()
}

/// Waits until so many clients are connected to the master daemon of a node.
#[track_caller]
fn connected(node: &Node, count: usize) {
    let socket = node.luxi_socket.display().to_string();
    let found = wait_for("the clients to be connected", SOON, || {
        let sockets = std::fs::read_to_string("/proc/net/unix").ok()?;
        // 03: connected. Only the server's ends have the path, under the name that the socket had before it was renamed.
        let count_now = sockets.lines().filter(|line| line.contains(&socket) && line.contains(" 0001 03 ")).count();
        (count_now >= count).then_some(())
    });
    found.unwrap();
}

#[track_caller]
fn good(command: ScopedJoinHandle<'_, Output>) -> Output {
    command.join().unwrap().ok()
}

const ADD: &str = "add -t diskless -o recording+default -H fake --no-ip-check --no-name-check -n";

fn add<'a>(node: &'a str, name: &'a str) -> Vec<&'a str> {
    ADD.split(' ').chain([node, name]).collect()
}

/// The machine of the master dies; its daemons come back soon.
#[test]
fn commands_on_every_candidate_see_the_end() {
    let cluster = three();
    let [first, second, third] = [0, 1, 2].map(|at| &cluster.nodes[at]);
    let running = busy(&cluster, 4.0).to_string();
    scope(|scope| {
        let run = |node, program, words: Vec<String>| {
            let cluster = &cluster;
            scope.spawn(move || cluster.on(node, program, &words.iter().map(String::as_str).collect::<Vec<_>>()))
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let added = run(second, "gnt-instance", words(&add(&third.name, "web1.example.com")));
        creation(&cluster, "web1.example.com");
        let on_the_old = run(first, "gnt-instance", words(&add(&third.name, "web2.example.com")));
        creation(&cluster, "web2.example.com");
        let watched = [first, second, third].map(|node| run(node, "gnt-job", words(&["watch", &running])));
        let waited = run(third, "gnt-job", words(&["wait", &running]));
        [(first, 2), (second, 2), (third, 2)].into_iter().for_each(|(node, count)| connected(node, count));
        kill(&cluster, first);
        let (at, _) = master(&cluster, &[1, 2]);
        assert_ne!(at, 0, "another node took over");
        start(&cluster, first);
        for watch in watched {
            let output = good(watch);
            assert!(output.stdout.contains("follows"), "{}", output.describe());
        }
        let _ = good(waited);
        let _ = (good(added), good(on_the_old));
    });
    let listed = cluster.on(first, "gnt-instance", &["list", "--no-headers", "-o", "name"]).ok();
    assert_eq!(listed.lines(), ["web1.example.com", "web2.example.com"], "{}", listed.describe());
}

/// Only the master's daemon dies, and is started again at once: the node stays the master.
#[test]
fn a_restart_of_the_masters_daemon_is_not_seen_on_other_candidates() {
    let cluster = three();
    let running = busy(&cluster, 2.0).to_string();
    scope(|scope| {
        let watch = |at: usize| {
            let (cluster, running) = (&cluster, &running);
            scope.spawn(move || cluster.on(&cluster.nodes[at], "gnt-job", &["watch", running]))
        };
        let (here, there) = (watch(0), watch(1));
        connected(&cluster.nodes[0], 1);
        connected(&cluster.nodes[1], 1);
        cluster.daemon(&cluster.nodes[0], MASTERD).kill9();
        cluster.daemon(&cluster.nodes[0], MASTERD).start();
        let _ = good(here);
        let there = good(there);
        assert!(!there.stderr.contains("went away"), "the standby asked again by itself: {}", there.describe());
    });
}

/// The master stands still with all that it holds. Who asked through it hears from the next one.
#[test]
fn a_standby_does_not_wait_for_a_master_that_stands_still() {
    let cluster = three();
    let running = busy(&cluster, 4.0).to_string();
    scope(|scope| {
        let watch = scope.spawn(|| cluster.on(&cluster.nodes[1], "gnt-job", &["watch", &running]));
        connected(&cluster.nodes[1], 1);
        let frozen = [CONFD, MASTERD].map(|name| cluster.daemon(&cluster.nodes[0], name));
        frozen.iter().for_each(gannet_qa::daemon::Daemon::freeze);
        let _ = good(watch);
        frozen.iter().for_each(gannet_qa::daemon::Daemon::thaw);
    });
}
