//! The placement tools against a running cluster: by LUXI and by RAPI, and with plans that become jobs.

use std::time::Duration;

use gannet_qa::wait::wait_for;
use gannet_qa::{Cluster, Output};

/// A tool on the master. It may read `~/.netrc`, which holds the password of RAPI.
#[track_caller]
fn tool(cluster: &Cluster, name: &str, arguments: &[&str]) -> Output {
    let mut words = vec![name];
    words.extend(arguments);
    cluster.gnt("htools", &words)
}

/// What a list of coefficients says apart from free memory and disk space, which on a living machine are never twice the same.
fn steady(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.contains("free_") && !line.contains("Cluster score")).map(str::to_owned).collect()
}

fn primaries(cluster: &Cluster) -> Vec<String> {
    let list = cluster.line("gnt-instance list --no-headers -o pnode").ok().stdout;
    list.split_whitespace().map(str::to_owned).collect()
}

/// Everything on the first node.
fn crowded() -> Cluster {
    let cluster = Cluster::fake(3);
    let node = &cluster.nodes[0];
    for name in ["web1", "web2", "web3", "web4"] {
        cluster.line(&format!("gnt-instance add -t sharedfile --disk 0:size=16M -o recording+default -n {} {name}", node.name)).ok();
    }
    let host = cluster.rapi.url.trim_start_matches("https://").rsplit_once(':').expect("a port").0.to_owned();
    let netrc = format!("machine {host} login {} password {}\n", cluster.rapi.user, cluster.rapi.password);
    std::fs::write(node.root.join(".netrc"), netrc).expect("the file can be written");
    cluster
}

#[test]
fn a_cluster_is_seen_and_balanced() {
    let cluster = crowded();
    let by_luxi = tool(&cluster, "hinfo", &["-L"]).ok().stdout;
    assert!(by_luxi.contains("Loaded 3 nodes, 4 instances, 1 node group"), "{by_luxi}");
    let url = cluster.rapi.url.clone();
    let by_rapi = tool(&cluster, "hinfo", &["-m", &url]).ok().stdout;
    assert_eq!(steady(&by_rapi), steady(&by_luxi), "both ways show the same cluster");

    let dir = cluster.dir.join("scan");
    std::fs::create_dir(&dir).expect("a directory can be made");
    let into = format!("-d{}", dir.display());
    tool(&cluster, "hscan", &[&into]).ok().says(&["LOCAL"]);
    let saved = dir.join("LOCAL.data");
    let from_file = tool(&cluster, "hinfo", &["-t", &saved.to_string_lossy()]).ok().stdout;
    assert_eq!(steady(&from_file), steady(&by_luxi), "what hscan writes is the same cluster");
    assert_eq!(tool(&cluster, "hscan", &[&into, "nowhere.invalid"]).code(), 2);

    tool(&cluster, "hbal", &["-t", &saved.to_string_lossy(), "-X"]).refused(&["only on LUXI"]);
    let first = &cluster.nodes[0].name;
    assert!(primaries(&cluster).iter().all(|node| node == first), "nothing has moved yet");
    let priority = ["-L", "-X", "--priority=low", "--reason=spring cleaning"];
    tool(&cluster, "hbal", &priority).ok().says(&["Cluster score improved", "Got job IDs"]);
    let mut nodes = primaries(&cluster);
    nodes.sort();
    nodes.dedup();
    assert_eq!(nodes.len(), 3, "every node has an instance: {nodes:?}");
    let jobs = cluster.line("gnt-job list --no-headers -o status,priority,summary").ok().stdout;
    assert!(jobs.lines().any(|line| line.contains("INSTANCE_MIGRATE") && line.contains("success") && line.contains("10")), "{jobs}");
    tool(&cluster, "hbal", &["-L"]).ok().says(&["No solution found"]);
    cluster.line("gnt-cluster verify").ok();
}

/// What all tags about repairs begin with.
const REPAIR: &str = "ganeti:watcher:autorepair:";
/// Repairs of fake instances take a moment.
const REPAIRED: Duration = Duration::from_secs(60);

/// Tags of an instance about repairs, without that beginning.
fn repairs(cluster: &Cluster, instance: &str) -> Vec<String> {
    let tags = cluster.line(&format!("gnt-instance list-tags {instance}")).ok().stdout;
    tags.lines().filter_map(|tag| tag.strip_prefix(REPAIR)).map(str::to_owned).collect()
}

/// Waits until no job is under way.
fn jobs_ended(cluster: &Cluster) {
    let ended = || {
        let states = cluster.line("gnt-job list --no-headers -o status").ok().stdout;
        states.lines().all(|state| ["success", "error", "canceled"].contains(&state.trim())).then_some(())
    };
    wait_for("the end of all jobs", REPAIRED, ended).expect("jobs end");
}

/// An instance's primary node and status.
fn place(cluster: &Cluster, instance: &str) -> String {
    cluster.line(&format!("gnt-instance list --no-headers -o pnode,status {instance}")).ok().stdout.trim().to_owned()
}

#[test]
fn broken_instances_are_repaired_as_far_as_their_tags_allow() {
    let cluster = Cluster::fake(3);
    let lost = cluster.nodes[1].name.clone();
    for (name, template) in [("shared", "sharedfile"), ("local", "file"), ("tame", "sharedfile"), ("later", "sharedfile")] {
        cluster.line(&format!("gnt-instance add -t {template} --disk 0:size=16M -o recording+default -n {lost} {name}")).ok();
    }
    cluster.line(&format!("gnt-cluster add-tags {REPAIR}failover")).ok();
    cluster.line(&format!("gnt-instance add-tags local {REPAIR}reinstall")).ok();
    cluster.line(&format!("gnt-instance add-tags tame {REPAIR}fix-storage")).ok();
    cluster.line(&format!("gnt-instance add-tags later {REPAIR}suspend:4000000000")).ok();
    tool(&cluster, "harep", &[]).ok().says(&["Healthy: 4"]);
    cluster.line(&format!("gnt-node modify --offline=yes --auto-promote {lost}")).ok();

    tool(&cluster, "harep", &["--dry-run"]).ok().says(&[
        "Executing ArFailover repair on shared",
        "OP_INSTANCE_FAILOVER",
        "Executing ArReinstall repair on local",
    ]);
    assert!(repairs(&cluster, "shared").is_empty(), "a dry run changes nothing");
    assert!(place(&cluster, "shared").starts_with(&lost));

    tool(&cluster, "harep", &["--job-delay=0.2", "--reason=a lost node"]).ok().says(&[
        "Executing ArFailover repair on shared",
        "Not performing a repair of type ArFailover on tame because only repairs up to ArFixStorage are allowed",
        "Not repairing later because it's in state ArSuspended (Until ",
        "Needs repair: 1",
        "Pending repair: 2",
    ]);
    assert!(matches!(repairs(&cluster, "shared").as_slice(), [tag] if tag.starts_with("pending:failover:")), "it is written down");
    jobs_ended(&cluster);
    assert!(!place(&cluster, "shared").starts_with(&lost) && place(&cluster, "shared").ends_with("running"), "it runs elsewhere");

    // An instance that should run is not installed again: the master daemon refuses, and the repair has failed.
    tool(&cluster, "harep", &["--job-delay=0.2"]).ok().says(&[
        "Moving shared from \"Pending repair\" to \"Healthy\"",
        "Moving local from \"Pending repair\" to \"Failure\"",
        "Failure: 1",
    ]);
    let of = |name: &str| repairs(&cluster, name);
    assert!(
        matches!(of("shared").as_slice(), [tag] if tag.starts_with("result:failover:") && tag.contains(":success:")),
        "{:?}",
        of("shared")
    );
    let local = of("local");
    assert!(local.iter().any(|tag| tag.starts_with("result:reinstall:") && tag.contains(":failure:")) && local.len() == 2, "{local:?}");
    let tame = of("tame");
    assert!(tame.iter().any(|tag| tag.starts_with("result:failover:") && tag.ends_with(":enoperm:")) && tame.len() == 2, "{tame:?}");
    assert_eq!(of("later"), ["suspend:4000000000"]);
    let jobs = cluster.line("gnt-job list --no-headers -o status,summary").ok().stdout;
    assert!(jobs.lines().any(|line| line.starts_with("success") && line.contains("INSTANCE_FAILOVER(shared)")), "{jobs}");

    // What has failed is left alone until somebody removes the tag.
    tool(&cluster, "harep", &["--job-delay=0"]).ok().says(&["Failure: 1"]);
    assert_eq!(of("local"), local);
}
