//! Networks with the operators' commands, on a fake cluster.

use std::time::Duration;

use gannet_qa::{Cluster, jobs};
use serde_json::json;

fn fields(cluster: &Cluster, network: &str, fields: &str) -> String {
    let line = format!("gnt-network list --no-headers --separator=| -o {fields} {network}");
    cluster.line(&line).ok().stdout.trim().to_owned()
}

#[test]
fn a_network_lives_and_dies() {
    let cluster = Cluster::fake(1);
    cluster.line("gnt-network add --network=198.51.100.0/29 --gateway=198.51.100.1 --add-reserved-ips=198.51.100.5 --tags=blue net1").ok();
    assert_eq!(fields(&cluster, "net1", "network,gateway,map,free_count,tags"), "198.51.100.0/29|198.51.100.1|XX...X.X|4|blue");
    cluster.line("gnt-network add --network=198.51.100.0/29 net1").refused(&["already exists as a network"]);
    cluster.line("gnt-network add --network=10.0.0.0/8 net2").refused(&["prefix length from 16 to 30"]);
    cluster.line("gnt-network modify --gateway=198.51.100.2 --remove-reserved-ips=198.51.100.5 --mac-prefix=aa:00:07 net1").ok();
    assert_eq!(fields(&cluster, "net1", "gateway,map,mac_prefix"), "198.51.100.2|X.X....X|aa:00:07");
    cluster.line("gnt-network rename net1 lan").ok();
    cluster.line("gnt-network connect --nic-parameters=mode=bridged,link=br7 lan default").ok();
    cluster.line("gnt-network connect --nic-parameters=mode=bridged,link=br7 lan default").ok().says(&["already mapped"]);
    cluster.line("gnt-network info lan").ok().says(&["default", "br7"]);
    cluster.line("gnt-network remove -f lan").refused(&["still connected", "gnt-network disconnect"]);
    cluster.line("gnt-network disconnect lan default").ok();
    cluster.line("gnt-network remove -f lan").ok();
    assert_eq!(fields(&cluster, "", "name"), "");

    // A network that holds the node's own address keeps it from instances.
    let ip = cluster.master().ip.to_string();
    let (net, _) = ip.rsplit_once('.').unwrap();
    cluster.line(&format!("gnt-network add --network={net}.0/24 nodes")).ok().says(&["Reserved IP address of node"]);
    let reserved = fields(&cluster, "nodes", "external_reservations");
    assert!(reserved.split(", ").any(|address| address == ip), "{reserved}");

    // Over RAPI, and of those who want one name at once one gets it.
    let mut rapi = cluster.rapi();
    let job = rapi.request("PUT", "/2/networks/nodes/rename", Some(&json!({"new_name": "hosts"}))).unwrap().json();
    let renamed = jobs::wait(&mut cluster.luxi(), jobs::id(&job).unwrap(), Duration::from_secs(60)).unwrap();
    assert_eq!(renamed.status, "success", "{}", renamed.text());
    let add = json!({"OP_ID": "OP_NETWORK_ADD", "network_name": "same", "network": "203.0.113.0/28", "reason": []});
    let ends: Vec<_> = std::thread::scope(|scope| {
        let run = || scope.spawn(|| jobs::run(&mut cluster.luxi(), std::slice::from_ref(&add), Duration::from_secs(60)).unwrap());
        let threads: Vec<_> = (0..5).map(|_| run()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ends.iter().filter(|end| end.status == "success").count(), 1);
}

#[test]
fn every_finding_of_the_verification_can_be_simulated() {
    let cluster = Cluster::fake(1);
    cluster.line("gnt-cluster verify").ok();
    let output = cluster.line("gnt-cluster verify --error-codes --debug-simulate-errors");
    assert_eq!(output.code(), 1, "{}", output.describe());
    for code in ["ECLUSTERCERT", "ECLUSTERDANGLINGNODES", "ENODENET", "EGROUPDIFFERENTPVSIZE"] {
        assert!(output.text().contains(&format!("ERROR:{code}:")), "{code}: {}", output.describe());
    }
}
