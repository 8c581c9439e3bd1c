//! Clusters that lost nodes, or got more.

use gannet_htools::load::{Wishes, finish, merge};
use gannet_htools::state::N1Rule;
use gannet_htools::whatif::{self, Outcome, WhatIf};
use gannet_htools::{InstanceId, NodeId, load, save};
use proptest::prelude::*;

use crate::random::{loaded, text};

/// Three nodes in two racks: drbd over node1 and node2, a plain instance and one on shared storage on node1.
fn small() -> String {
    let node = |at: u32, free: u32, disk: u32| format!("node{at}|4000|0|{free}|20000|{disk}|8|N|u|1|rack:{}|N|0|0|1.0\n", at.div_ceil(2));
    let nodes = node(1, 1000, 15_000) + &node(2, 4000, 18_000) + &node(3, 4000, 20_000);
    let instance = |name: &str, memory: u32, disk: u32, second: &str, template: &str| {
        format!("{name}|{memory}|{disk}|1|running|Y|node1|{second}|{template}||1|-\n")
    };
    let instances =
        instance("d", 1000, 2000, "node2", "drbd") + &instance("p", 1000, 3000, "", "plain") + &instance("s", 1000, 1, "", "sharedfile");
    format!("default|u|preferred||\n\n{nodes}\n{instances}\n\n")
}

fn lose(words: &[&str]) -> (gannet_htools::Cluster, gannet_htools::State, Outcome) {
    let found = loaded(&small());
    let nodes = words.iter().flat_map(|word| whatif::nodes_named(&found.cluster, word).expect("it is there")).collect();
    whatif::after(&found.cluster, &found.state, &WhatIf::Lose(nodes), N1Rule::default())
}

#[test]
fn a_lost_node_leaves_what_can_start_elsewhere() {
    let (cluster, state, outcome) = lose(&["node1"]);
    assert_eq!(outcome, Outcome { nodes: 1, moved: 2, unprotected: 1, stranded: 0, gone: 1 });
    let names: Vec<&str> = cluster.instances.iter().map(|instance| instance.name.as_str()).collect();
    assert_eq!(names, ["d", "s"]);
    assert_eq!((state.primary[0], state.secondary[0]), (NodeId::new(1), None));
    assert!(cluster.nodes[0].offline && cluster.nodes[0].total_memory == 0.0);
    assert_eq!(state.usage(NodeId::new(1)).unallocated(&cluster.nodes[1]), 3000);
}

#[test]
fn a_lost_rack_takes_both_copies() {
    let (cluster, _, outcome) = lose(&["rack:1"]);
    assert_eq!(outcome, Outcome { nodes: 2, moved: 1, unprotected: 0, stranded: 0, gone: 2 });
    assert_eq!(cluster.instances.len(), 1);
    let (cluster, _, outcome) = lose(&["default"]);
    assert_eq!((cluster.instances.len(), outcome.gone, outcome.stranded), (0, 2, 1), "a whole group");
}

#[test]
fn added_nodes_are_empty_and_have_names_of_their_own() {
    let found = loaded(&small());
    let change = whatif::addition(&found.cluster, "2,node1").expect("well formed");
    let (cluster, state, _) = whatif::after(&found.cluster, &found.state, &change, N1Rule::default());
    let names: Vec<&str> = cluster.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["node1", "node2", "node3", "node1-new-1", "node1-new-2"]);
    let new = NodeId::new(3);
    assert_eq!((state.usage(new).unallocated(cluster.node(new)), state.usage(new).free_disk, state.primaries[3].len()), (4000, 20_000, 0));
}

#[test]
fn what_is_not_there_is_told() {
    let cluster = loaded(&small()).cluster;
    assert_eq!(whatif::nodes_named(&cluster, "nix").unwrap_err(), "no node, group or tag of nodes is called 'nix'");
    for (text, why) in [("5", "'5' is not COUNT,NODE"), ("0,node1", "'0' is not a number of nodes"), ("1,nix", "there is no node 'nix'")] {
        assert!(whatif::addition(&cluster, text).unwrap_err().starts_with(why), "{text}");
    }
}

proptest! {
    /// Nothing is lost or doubled in the count; what is left can be saved and is read again as it is.
    #[test]
    fn every_instance_has_one_fate(text in text(), lost in prop::collection::btree_set(0usize..7, 1..4)) {
        let found = loaded(&text);
        let nodes: Vec<NodeId> = lost.into_iter().filter(|at| *at < found.cluster.nodes.len()).map(NodeId::new).collect();
        let (cluster, state, outcome) = whatif::after(&found.cluster, &found.state, &WhatIf::Lose(nodes.clone()), N1Rule::default());
        prop_assert_eq!(cluster.instances.len() + outcome.gone + outcome.stranded, found.cluster.instances.len());
        for at in 0..cluster.instances.len() {
            let id = InstanceId::new(at);
            for node in state.nodes_of(&cluster, id) {
                prop_assert!(!nodes.contains(&node));
            }
        }
        for node in &nodes {
            prop_assert!(state.primaries[node.at()].is_empty() && state.secondaries[node.at()].is_empty());
        }
        let again = load::text::parse(&save::text(&cluster, &state), load::text::Repeated::Refuse).expect("it was just written");
        let again = finish(merge(again, &Wishes::default()).expect("nothing is asked for"), 0, N1Rule::default());
        prop_assert_eq!(again.cluster.instances.len(), cluster.instances.len());
    }
}
