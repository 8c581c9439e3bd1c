//! Evacuation of both nodes: the pair that is found is the one that trying all of them finds.

use gannet_core::param::DiskTemplate;
use gannet_htools::allocate::Options;
use gannet_htools::evacuate::{Mode, evacuate};
use gannet_htools::load::Loaded;
use gannet_htools::score::score;
use gannet_htools::{Cluster, InstanceId, Move, NodeId, State};
use proptest::prelude::*;

use super::random::{loaded, text};

/// Each pair in full; the last of equals.
fn by_trying(cluster: &Cluster, state: &State, id: InstanceId, force: bool) -> Option<Vec<NodeId>> {
    let (p, s) = (state.primary[id.at()], state.secondary[id.at()]?);
    let nodes: Vec<NodeId> = cluster.nodes_of(cluster.node(p).group).collect();
    let targets: Vec<NodeId> = nodes.iter().copied().filter(|node| *node != p && *node != s && !cluster.node(*node).offline).collect();
    let mut best: Option<(f64, Vec<NodeId>)> = None;
    for (new_p, new_s) in targets.iter().flat_map(|a| targets.iter().map(move |b| (*a, *b))).filter(|(a, b)| a != b) {
        let mut after = state.clone();
        let first = cluster.node(p).offline.then_some(Move::Failover);
        let rest = [Move::ReplaceSecondary(new_p), Move::Failover, Move::ReplaceSecondary(new_s)];
        if first.into_iter().chain(rest).any(|step| after.try_move(cluster, id, step, force).is_err()) {
            continue;
        }
        let score = score(cluster, &after, &nodes);
        if best.as_ref().is_none_or(|(old, _)| score <= *old) {
            best = Some((score, vec![new_p, new_s]));
        }
    }
    best.map(|(_, pair)| pair)
}

#[track_caller]
fn check(text: &str, force: bool) {
    let Loaded { cluster, state, .. } = loaded(text);
    let options = Options { ignore_soft_errors: force, ..Options::default() };
    for id in cluster.instance_ids().filter(|id| cluster.instance(*id).template == DiskTemplate::Drbd) {
        let found = evacuate(&cluster, &state, Mode::All, &[id], &options);
        let nodes = found.moved.first().map(|moved| moved.nodes.clone());
        assert_eq!(nodes, by_trying(&cluster, &state, id, force), "{}: {:?}\n{text}", cluster.instance(id).name, found.failed);
        assert_eq!(found.moved.len() + found.failed.len(), 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn the_best_pair_is_found(text in text(), force in any::<bool>()) {
        check(&text, force);
    }
}

/// `count` equal nodes, with nothing but a few equal instances: nearly all pairs are equally good.
fn equal(count: usize) -> String {
    let node = |at: usize| {
        format!("n{at}|8192|512|{}|90000|{}|8|N|u|4||N|0|1|1.0\n", 7680 - 512 * usize::from(at < 2), 90_000 - 2000 * usize::from(at < 4))
    };
    let nodes: String = (0..count).map(node).collect();
    format!("g|u|preferred||\n\n{nodes}\ni0|512|2000|1|running|Y|n0|n2|drbd||1|-\ni1|512|2000|1|running|Y|n1|n3|drbd||1|-\n\n\n")
}

#[test]
fn ties_are_decided_as_by_trying() {
    for count in 4..12 {
        check(&equal(count), false);
    }
}

#[test]
fn a_refusal_says_why() {
    let Loaded { cluster, state, .. } = loaded(&equal(5).replace("i0|512|", "i0|9000|"));
    let found = evacuate(&cluster, &state, Mode::All, &[InstanceId::new(0)], &Options::default());
    let [(_, why)] = found.failed.as_slice() else { panic!("{found:?}") };
    assert!(why.starts_with("Can't find any good nodes for relocation: Allocation failed: Changing secondary to new primary: "), "{why}");
    assert_eq!(found.state, state);
}
