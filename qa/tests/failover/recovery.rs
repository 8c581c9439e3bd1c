//! The majority of the candidates is lost for good, and the cluster goes on from one copy.

use gannet_core::luxi::{Client, Method, Origin};
use gannet_qa::daemon::{CONFD, MASTERD, NODED};
use gannet_qa::{Cluster, jobs, wait_for};
use serde_json::json;

use super::{ALL, SOON, kill, master, start, three, voters};

fn tag(client: &mut Client, tag: &str) {
    let op = json!({"OP_ID": "OP_TAGS_SET", "kind": "cluster", "name": null, "tags": [tag]});
    assert_eq!(jobs::run(client, &[op], SOON).unwrap().status, "success");
}

fn tags(client: &mut Client) -> Vec<String> {
    let mut tags: Vec<String> = serde_json::from_value(client.call(Method::QueryTags, &json!(["cluster", ""])).unwrap()).unwrap();
    tags.sort();
    tags
}

/// Whether a node's master daemon says that it is the master.
fn acts(cluster: &Cluster, at: usize) -> bool {
    let client = Client::connect(&cluster.nodes[at].luxi_socket);
    client
        .is_ok_and(|mut client| client.call(Method::QueryClusterInfo, &json!([])).is_ok() && client.origin().is_none_or(Origin::is_master))
}

/// Three candidates, two die; the third goes on. Those of the past come back: first one, then, after the new group has lost it
/// again, both together, who are a majority of the group that was.
#[test]
fn one_of_three_goes_on_and_the_past_stays_the_past() {
    let cluster = three();
    tag(&mut cluster.luxi(), "before");
    let refused = cluster.on(&cluster.nodes[2], "gnt-cluster", &["recover", "--yes-do-it"]).refused(&["a majority of the voting"]);
    assert!(refused.stdout.contains("answers; has entry"), "{}", refused.describe());
    kill(&cluster, &cluster.nodes[0]);
    kill(&cluster, &cluster.nodes[1]);
    // Nobody says yes.
    let asked = cluster.on(&cluster.nodes[2], "gnt-cluster", &["recover"]);
    assert!(asked.code() != 0 && asked.stdout.contains("cannot be reached"), "{}", asked.describe());
    let done = cluster.on(&cluster.nodes[2], "gnt-cluster", &["recover", "--yes-do-it"]).ok();
    println!("{}", done.stdout);
    let (_, mut client) = master(&cluster, &[2]);
    assert_eq!(tags(&mut client), ["before"], "what was acknowledged is in each copy of a majority");
    tag(&mut client, "after");

    // Both together. Their stores are told before they elect anybody; their agents stay away, so that nobody helps.
    for at in [0, 1] {
        let _ = cluster.daemon(&cluster.nodes[at], CONFD).try_start(&[]);
    }
    for at in [0, 1] {
        let confd = cluster.daemon(&cluster.nodes[at], CONFD);
        wait_for("the end of a store of the past", SOON, || confd.pid().is_none().then_some(())).unwrap();
        let output = cluster.on(&cluster.nodes[at], "gannet-confd", &["--foreground"]);
        assert!(output.code() == 65 && output.stderr.contains("the cluster was recovered"), "{}", output.describe());
        assert!(!acts(&cluster, at));
        let refused = cluster.on(&cluster.nodes[at], "gnt-cluster", &["recover", "--yes-do-it"]).says(&["the cluster was recovered"]);
        assert_eq!(refused.code(), 65);
    }

    // With its agent, a node of the past is made anew.
    for at in [0, 1] {
        cluster.daemon(&cluster.nodes[at], NODED).start();
    }
    voters(&cluster, 2, 3);
    let (_, mut client) = master(&cluster, &[2]);
    assert_eq!(tags(&mut client), ["after", "before"]);
}

/// Both members of the past are up before the survivor is, and lead a group of their own: until they hear of it.
#[test]
fn a_majority_of_the_past_ends_when_it_hears_of_the_present() {
    let cluster = three();
    kill(&cluster, &cluster.nodes[0]);
    kill(&cluster, &cluster.nodes[1]);
    let _ = cluster.on(&cluster.nodes[2], "gnt-cluster", &["recover", "--yes-do-it"]).ok();
    let (_, mut client) = master(&cluster, &[2]);
    tag(&mut client, "present");
    kill(&cluster, &cluster.nodes[2]);
    for at in [0, 1] {
        start(&cluster, &cluster.nodes[at]);
    }
    let (past, mut client) = master(&cluster, &[0, 1]);
    tag(&mut client, "past");
    cluster.daemon(&cluster.nodes[2], CONFD).start();
    wait_for("the end of the past", SOON, || (!acts(&cluster, past)).then_some(())).unwrap();
    for name in [NODED, MASTERD] {
        cluster.daemon(&cluster.nodes[2], name).start();
    }
    let (_, mut client) = master(&cluster, &[2]);
    voters(&cluster, 2, 3);
    assert_eq!(tags(&mut client), ["present"]);
}

/// Two candidates, of which one votes: it dies.
#[test]
fn no_voting_for_two_nodes() {
    let cluster = Cluster::with_candidates(2, 2).unwrap_or_else(|error| panic!("no cluster: {error:#}"));
    wait_for("a learner that knows the group", SOON, || {
        let status = cluster.on(&cluster.nodes[1], "gannet-confd", &["status"]);
        (status.stdout.lines().filter(|line| line.contains(" (")).count() == 2).then_some(())
    })
    .unwrap();
    tag(&mut cluster.luxi(), "before");
    let line = ["master-failover", "--no-voting", "--yes-do-it"];
    let _ = cluster.on(&cluster.nodes[1], "gnt-cluster", &line).refused(&["a majority of the voting"]);
    kill(&cluster, &cluster.nodes[0]);
    let _ = cluster.on(&cluster.nodes[1], "gnt-cluster", &line).ok();
    let (_, mut client) = master(&cluster, &[1]);
    assert_eq!(tags(&mut client), ["before"]);
    tag(&mut client, "after");
    ALL.iter().rev().for_each(|name| drop(cluster.daemon(&cluster.nodes[0], name).try_start(&[])));
    wait_for("two members", SOON, || {
        let status = cluster.on(&cluster.nodes[1], "gannet-confd", &["status"]);
        (status.stdout.lines().filter(|line| line.contains(" (")).count() == 2).then_some(())
    })
    .unwrap();
    assert_eq!(tags(&mut client), ["after", "before"]);
}
