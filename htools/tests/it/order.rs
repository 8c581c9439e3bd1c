//! Names and the order of the input decide nothing: other names change nothing but names, another order nothing but ties.

use std::collections::BTreeSet;

use gannet_htools::balance::{Options, run};
use gannet_htools::evacuable::{Scope, failing};
use gannet_htools::load::Loaded;
use gannet_htools::score::score;
use gannet_htools::{Move, NodeId};
use proptest::prelude::*;

use super::random::{loaded, text};

/// All names are others, whose alphabetic order is the opposite.
fn renamed(text: &str) -> String {
    let nodes = (0..10).rev().fold(text.to_owned(), |text, at| text.replace(&format!("node{at}"), &format!("host-{}", 9 - at)));
    (0..20).rev().fold(nodes, |text, at| text.replace(&format!("inst{at}|"), &format!("guest{}|", 50 - at)))
}

/// Nodes and instances in the opposite order.
fn reversed(text: &str) -> String {
    let mut sections: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines() {
        match sections.last_mut() {
            Some(section) if !line.is_empty() => section.push(line),
            _ => sections.push(Vec::new()),
        }
    }
    sections[1].reverse();
    sections[2].reverse();
    let section = |lines: &Vec<&str>| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    sections.iter().map(section).collect::<Vec<_>>().join("\n")
}

fn plan(loaded: &Loaded, options: &Options) -> Vec<(usize, Move, u64)> {
    let mut state = loaded.state.clone();
    let steps = run(&loaded.cluster, &mut state, loaded.cluster.node_ids().collect(), options, f64::NEG_INFINITY);
    steps.iter().map(|step| (step.instance.at(), step.chosen, step.score.to_bits())).collect()
}

fn failing_names(loaded: &Loaded) -> BTreeSet<String> {
    let scope = Scope::all(&loaded.cluster);
    failing(&loaded.cluster, &loaded.state, &scope).into_iter().map(|node| loaded.cluster.node(node).name.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn other_names_change_nothing_but_names(text in text()) {
        let (one, other) = (loaded(&text), loaded(&renamed(&text)));
        prop_assert!(other.cluster.nodes.iter().all(|node| node.name.starts_with("host-")));
        prop_assert_eq!(&one.state, &other.state);
        prop_assert_eq!(plan(&one, &Options::default()), plan(&other, &Options::default()));
    }

    #[test]
    fn another_order_changes_nothing_but_ties(text in text()) {
        let (one, other) = (loaded(&text), loaded(&reversed(&text)));
        prop_assert_eq!(one.cluster.instances.len(), other.cluster.instances.len());
        let all = |loaded: &Loaded| loaded.cluster.node_ids().collect::<Vec<NodeId>>();
        let scores = [&one, &other].map(|loaded| score(&loaded.cluster, &loaded.state, &all(loaded)));
        prop_assert!((scores[0] - scores[1]).abs() < 1e-10, "{scores:?}");
        let options = Options { max_length: 1, min_gain: 0.0, min_gain_limit: 0.0, ..Options::default() };
        let first = [&one, &other].map(|loaded| plan(loaded, &options).first().map(|(.., score)| f64::from_bits(*score)));
        // Where a step gains nothing but a rounding, only one of them may make it.
        let scores = [first[0].unwrap_or(scores[0]), first[1].unwrap_or(scores[1])];
        prop_assert!((scores[0] - scores[1]).abs() < 1e-9, "{scores:?}");
    }

    /// Drbd alone: what becomes of others depends on which of equally good nodes they go to.
    #[test]
    fn another_order_leaves_the_same_nodes_evacuable(text in text()) {
        let text = text.lines().filter(|line| !line.contains("|sharedfile|") && !line.contains("|plain|")).collect::<Vec<_>>().join("\n") + "\n";
        let (one, other) = (loaded(&text), loaded(&reversed(&text)));
        prop_assert_eq!(failing_names(&one), failing_names(&other));
    }
}
