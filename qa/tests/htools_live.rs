//! The placement tools against a running cluster: by LUXI and by RAPI, and with plans that become jobs.

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
