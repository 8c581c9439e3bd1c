//! The death of nodes, on clusters of fake nodes: leases end guests, power is switched off, and instances run elsewhere; never twice.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod lab;

use std::time::Duration;

use gannet_qa::daemon::{CONFD, MASTERD, NODED, RAPI};
use gannet_qa::wait_for;

use self::lab::{Lab, SOON};

const ALL: [&str; 4] = [RAPI, MASTERD, NODED, CONFD];

/// The agent is killed. The keeper ends the guests that it guards, and only then they run elsewhere; others are left alone, and a
/// cluster in which nothing is switched on has no keeper at all.
#[test]
fn the_agent_is_killed() {
    let lab = Lab::new(3);
    for name in ["important", "ordinary", "left"] {
        lab.create(name, 2);
    }
    assert_eq!(lab.keeper(2), None, "off by default: nothing is there that could end a guest");
    lab.tags("instance", "important", &["yes", "priority:90"]);
    lab.tags("instance", "ordinary", &["yes"]);
    lab.quick();
    lab.wait_guarded(2, &["important", "ordinary"]);
    let shown = lab.cluster.line("gnt-instance info important.example.com").ok();
    assert!(shown.stdout.contains("Automatic failover: on, priority 90"), "{}", shown.describe());
    let shown = lab.cluster.line("gnt-cluster info").ok();
    assert!(shown.stdout.contains("leases last 10 s"), "{}", shown.describe());

    let watch = lab.watch();
    lab.daemon(2, NODED).kill9();
    assert!(lab.keeper(2).is_some(), "it survives its agent");
    lab.wait_elsewhere("important", 2);
    lab.wait_elsewhere("ordinary", 2);
    assert_eq!(lab.guest_nodes("left"), [2], "nobody asked for it");
    watch.never_twice();
    let jobs = lab.cluster.line("gnt-job list --no-headers -o summary,status").ok().stdout;
    let offline = jobs.lines().find(|line| line.contains("NODE_SET_PARAMS"));
    assert!(offline.is_some_and(|line| line.contains("success")), "{jobs}");
    let at = |name: &str| {
        jobs.find(&format!("INSTANCE_FAILOVER({name}.example.com)")).unwrap_or_else(|| panic!("no failover of {name}: {jobs}"))
    };
    assert!(at("important") < at("ordinary"), "the most important first: {jobs}");

    // It does not come back by itself. When the operator brings it back, it has a lease again.
    lab.daemon(2, NODED).start();
    let name = lab.name(2);
    assert!(lab.cluster.line(&format!("gnt-node list --no-headers -o offline {name}")).ok().stdout.contains('Y'));
    let _ = lab.cluster.line(&format!("gnt-node modify --offline=no {name}")).ok();
    let _ = lab.cluster.line(&format!("gnt-instance migrate -f -n {name} important.example.com")).ok();
    assert_eq!(lab.guest_nodes("important"), [2]);
    lab.wait_guarded(2, &["important"]);
    assert_eq!(lab.guest_nodes("left"), [2]);
}

/// The agent stands still, in the middle of whatever it does; when it goes on, it starts nothing.
#[test]
fn the_agent_stands_still() {
    let lab = Lab::new(3);
    lab.create("web1", 2);
    lab.tags("cluster", "", &["yes"]);
    lab.quick();
    lab.wait_guarded(2, &["web1"]);
    // A keeper that dies is replaced, and the next one knows what the last one knew.
    let first = lab.keeper(2).unwrap();
    lab.kill_keeper(2);
    wait_for("another keeper", SOON, || lab.keeper(2).filter(|pid| *pid != first)).unwrap();
    lab.wait_guarded(2, &["web1"]);
    let watch = lab.watch();
    lab.daemon(2, NODED).freeze();
    lab.wait_elsewhere("web1", 2);
    lab.daemon(2, NODED).thaw();
    // What belongs to another node by now is ended on a node that is back, whoever has started it.
    let stale = lab.guest_file("web1", 2);
    watch.never_twice();
    let now = lab.guest_nodes("web1")[0];
    std::fs::copy(lab.guest_file("web1", now), &stale).unwrap();
    wait_for("the stale guest to be ended", SOON, || (!stale.exists()).then_some(())).unwrap();
    assert_eq!(lab.guest_nodes("web1"), [now]);
}

/// The machine of the master dies, and guests of its own with it; the next master waits for the lease that it did not grant.
#[test]
fn the_master_dies_with_its_guests() {
    let lab = Lab::new(3);
    lab.create("web1", 0);
    lab.create("web2", 2);
    // Long enough for an election.
    lab.tags("cluster", "", &["yes", "dead-after:5", "lease:20"]);
    lab.wait_guarded(0, &["web1"]);
    lab.wait_guarded(2, &["web2"]);
    let watch = lab.watch();
    ALL.iter().for_each(|name| lab.daemon(0, name).kill9());
    lab.set_master(&[1, 2]);
    lab.wait_elsewhere("web1", 0);
    watch.never_twice();
    assert_eq!(lab.guest_nodes("web2"), [2], "its lease went on with another master");
}

/// Power that is off for certain is a fence by itself; a program that fails is none.
#[test]
fn power_is_switched_off_out_of_band() {
    let lab = Lab::new(3);
    lab.create("web1", 2);
    lab.tags("cluster", "", &["yes", "dead-after:5", "lease:600"]);
    lab.out_of_band(2);
    lab.wait_guarded(2, &["web1"]);
    let watch = lab.watch();
    // The whole machine hangs, its keeper too; the lease would go on for minutes.
    lab.break_power(true);
    lab.freeze_all(2);
    let asked = || std::fs::read_to_string(lab.power_log()).unwrap_or_default().contains("power-off").then_some(());
    wait_for("power-off", SOON, asked).unwrap();
    lab.told("switched off");
    assert_eq!(lab.guest_nodes("web1"), [2], "nobody knows whether it runs");
    assert!(lab.cluster.line("gnt-node list --no-headers -o offline").ok().stdout.lines().all(|line| line.trim() == "N"));

    // The master daemon begins anew, and so it asks again.
    lab.break_power(false);
    lab.daemon(0, MASTERD).kill9();
    lab.daemon(0, MASTERD).start();
    lab.wait_elsewhere("web1", 2);
    watch.never_twice();
    let powered = lab.cluster.line(&format!("gnt-node list --no-headers -o powered,offline {}", lab.name(2))).ok().stdout;
    assert_eq!(powered.split_whitespace().collect::<Vec<_>>(), ["N", "Y"], "it was switched off");
    lab.end_all(2);
}

/// A node that cannot keep a lease starts no such instance, and its death is a question for the operator.
#[test]
fn without_a_fence_nothing_is_started() {
    let lab = Lab::new(3);
    lab.create("web1", 2);
    lab.create("web2", 2);
    lab.block_keeper(2);
    lab.tags("cluster", "", &["yes"]);
    lab.quick();
    lab.told("cannot run there");
    let _ = lab.cluster.line("gnt-instance shutdown web2.example.com").ok();
    let _ = lab.cluster.line("gnt-instance startup web2.example.com").refused(&["only under a lease", "no lease"]);
    lab.daemon(2, NODED).kill9();
    lab.told("may be dead");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(lab.guest_nodes("web1"), [2]);
    assert!(lab.cluster.line("gnt-job list --no-headers -o summary").ok().stdout.lines().all(|line| !line.contains("FAILOVER")));
}

/// Settings that mean nothing are refused where they are made.
#[test]
fn settings_are_checked() {
    let lab = Lab::new(1);
    let set = |line: &str| lab.cluster.line(&format!("gnt-cluster add-tags gannet:auto-failover:{line}"));
    let _ = set("perhaps").refused(&["means nothing"]);
    let _ = set("priority:3").refused(&["for instances"]);
    let _ = set("lease:1").refused(&["from 10 to 3600"]);
    let _ = set("yes").ok();
    let _ = set("no").refused(&["contradict"]);
}
