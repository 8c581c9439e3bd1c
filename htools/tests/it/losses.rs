//! Losses of several nodes at once.

use gannet_core::param::DiskTemplate;
use gannet_htools::allocate::{self, Options};
use gannet_htools::evacuable::{self, Loss, Scope, loss};
use gannet_htools::instance::Disk;
use gannet_htools::{Instance, InstanceId, NodeId};
use proptest::prelude::*;

use crate::random::{loaded, text};

/// Four nodes of 4,000 MiB in two racks, each with an instance of `memory` on shared storage.
fn racks(memory: u32) -> String {
    let node = |at: u32| format!("node{at}|4000|0|{}|20000|20000|8|N|u|1|rack:{}|N|0|0|1.0\n", 4000 - memory, at.div_ceil(2));
    let instance = |at: u32| format!("i{at}|{memory}|1024|1|running|Y|node{at}||sharedfile||1|-\n");
    let (nodes, instances): (String, String) = (1..=4).map(|at| (node(at), instance(at))).unzip();
    format!("default|u|preferred||\n\n{nodes}\n{instances}\n\n")
}

fn failing(text: &str, losses: Vec<Loss>) -> Vec<String> {
    let found = loaded(text);
    let mut scope = Scope::all(&found.cluster);
    scope.which.losses = losses;
    let name = |id: &NodeId| found.cluster.node(*id).name.clone();
    evacuable::failing_losses(&found.cluster, &found.state, &scope)
        .map(|loss| loss.nodes.iter().map(name).collect::<Vec<_>>().join("+"))
        .collect()
}

#[test]
fn any_two_nodes_or_a_rack() {
    let sets = |text: &str| loss::of_count(&loaded(text).cluster, 2).expect("few");
    assert_eq!(sets(&racks(1000)).len(), 6);
    assert_eq!(failing(&racks(1500), sets(&racks(1500))), [""; 0], "1,500 + 1,500 + 1,500 of 8,000 on each side");
    assert_eq!(failing(&racks(2100), sets(&racks(2100))).len(), 6, "no node takes a second one");
    let domains = loss::of_domains(&loaded(&racks(2100)).cluster, "rack");
    let names: Vec<_> = domains.iter().map(|loss| loss.domain.clone()).collect();
    assert_eq!(names, [Some("rack:1".to_owned()), Some("rack:2".to_owned())]);
    assert_eq!(failing(&racks(2100), domains), ["node1+node2", "node3+node4"]);
}

#[test]
fn too_many_sets_are_refused() {
    let node = |at: usize| format!("node{at}|4000|0|4000|20000|20000|8|N|u|1||N|0|0|1.0\n");
    let text = format!("default|u|preferred||\n\n{}\n\n\n", (0..400).map(node).collect::<String>());
    let refused = loss::of_count(&loaded(&text).cluster, 2).expect_err("79,800 sets");
    assert_eq!(refused.to_string(), "group default has too many sets of 2 nodes to look at; 50000 are the most");
    assert_eq!(loss::of_count(&loaded(&text).cluster, 1).map(|sets| sets.len()), Ok(0), "single nodes are asked about anyway");
}

#[test]
fn drbd_without_both_of_its_nodes_is_gone_and_not_stranded() {
    let node = |at: u32| format!("node{at}|4000|0|3000|20000|18000|8|N|u|1||N|0|0|1.0\n");
    let text = format!("default|u|preferred||\n\n{}{}{}\na|1000|1024|1|running|Y|node1|node2|drbd||1|-\n\n\n", node(1), node(2), node(3));
    let found = loaded(&text);
    let scope = Scope::all(&found.cluster);
    let loss = |nodes: [usize; 2]| Loss { domain: None, nodes: nodes.map(NodeId::new).to_vec() };
    let after = |nodes| loss::aftermath(&found.cluster, &found.state, &scope, &loss(nodes));
    assert_eq!(after([0, 1]), loss::Aftermath { stranded: 0, gone: 1 });
    assert_eq!(after([0, 2]), loss::Aftermath::default());
}

proptest! {
    /// What was placed with a question about losses keeps them survivable; nothing is changed by asking.
    #[test]
    fn a_placement_keeps_what_it_was_asked_to_keep(text in text(), memory in 128i64..4000, template in 0usize..2, count in 2usize..4) {
        let found = loaded(&text);
        let (mut cluster, mut state) = (found.cluster, found.state);
        let template = [DiskTemplate::Drbd, DiskTemplate::SharedFile][template];
        let id = InstanceId::new(cluster.instances.len());
        cluster.instances.push(Instance { memory, vcpus: 1, ..Instance::new("new", template, vec![Disk { size: 2048, spindles: None }]) });
        let options = Options { losses: loss::of_count(&cluster, count).expect("few"), ..Options::default() };
        let before = state.clone();
        let nodes = i64::try_from(cluster.instance(id).required_nodes()).expect("one or two");
        let solution = allocate::in_any_group(&cluster, &state, id, nodes, &options);
        prop_assert_eq!(&before, &state);
        if let Ok((solution, _)) = solution && let Some(best) = solution.best {
            state.place(&cluster, id, best.primary, best.secondary);
            let scope = options.scope(cluster.node_ids().collect());
            prop_assert!(evacuable::all(&cluster, &state, &scope));
            prop_assert_eq!(evacuable::failing_losses(&cluster, &state, &scope).count(), 0);
        }
    }
}
