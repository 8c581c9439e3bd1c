//! Searches: the fast one makes the plan of the plain one, and what is ranked is ranked right.

use gannet_htools::balance::{self, Effort, Options, improve, run};
use gannet_htools::job::Planned;
use gannet_htools::load::Loaded;
use gannet_htools::score::score;
use gannet_htools::state::N1Rule;
use gannet_htools::{Cluster, Move, NodeId, State};
use proptest::prelude::*;

use super::random::{loaded, text};

/// What was planned, to the last bit.
fn plan(cluster: &Cluster, state: &State, options: &Options) -> (Vec<(usize, Move, u64)>, State) {
    let mut state = state.clone();
    let nodes: Vec<NodeId> = cluster.node_ids().collect();
    let steps = run(cluster, &mut state, nodes, options, f64::NEG_INFINITY);
    (steps.iter().map(|step| (step.instance.at(), step.chosen, step.score.to_bits())).collect(), state)
}

fn options() -> impl Strategy<Value = Options> {
    let often = || prop::bool::weighted(0.85);
    let rare = || prop::bool::weighted(0.15);
    (
        often(),
        often(),
        rare(),
        rare(),
        rare(),
        prop::sample::select(vec![0.0, 0.01, 0.1]),
        prop::sample::select(vec![0.0, 0.1, 10.0]),
        prop::sample::select(vec![0.0, 0.0, 0.01, 0.2]),
        prop::sample::select(vec![f64::INFINITY, 3.0]),
    )
        .prop_map(
            |(
                disk_moves,
                instance_moves,
                restricted_migration,
                ignore_soft_errors,
                evacuate,
                min_gain,
                min_gain_limit,
                price,
                max_copied,
            )| Options {
                price,
                max_copied,
                disk_moves,
                instance_moves,
                restricted_migration,
                ignore_soft_errors,
                evacuate,
                min_gain,
                min_gain_limit,
                ..Options::default()
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_fast_search_makes_the_plan_of_the_plain_one(text in text(), options in options()) {
        let Loaded { cluster, state, .. } = loaded(&text);
        let plain = plan(&cluster, &state, &Options { plain: true, ..options.clone() });
        let fast = plan(&cluster, &state, &balance::Options { plain: false, ..options });
        prop_assert_eq!(fast, plain);
    }

    /// Wishes without locations were once not ranked: moves off an offline node seemed better than they are.
    #[test]
    fn the_fast_search_minds_wishes_where_no_node_has_a_location(text in text(), options in options()) {
        let Loaded { cluster, state, .. } = loaded(&text.replace("htools:nlocation:place\n", ""));
        let plain = plan(&cluster, &state, &Options { plain: true, ..options.clone() });
        let fast = plan(&cluster, &state, &balance::Options { plain: false, ..options });
        prop_assert_eq!(fast, plain);
    }
}

/// A plan, its final state and what is wrong with it.
fn replay(cluster: &Cluster, steps: &[Planned]) -> Result<State, TestCaseError> {
    let mut now = cluster.clone();
    let all_online = cluster.nodes.iter().all(|node| !node.offline);
    for step in steps {
        let before = State::new(&now, N1Rule::default());
        let instance = &mut now.instances[step.instance.at()];
        prop_assert!(instance.movable && instance.auto_balance);
        prop_assert_eq!((instance.primary, instance.secondary), step.old);
        (instance.primary, instance.secondary) = step.new;
        let after = State::new(&now, N1Rule::default());
        let (instance, (p, s), (t, u)) = (&now.instances[step.instance.at()], step.old, step.new);
        prop_assert!(Some(t) != u, "both nodes are one");
        // Live from the old primary to the new one, over the secondary or from it.
        if t != p && step.chosen != Move::ReplacePrimary(t) {
            prop_assert!(cluster.node(t).receives_from(cluster.node(p)), "the target does not take this node's instances");
        }
        for node in [Some(t), u].into_iter().flatten().filter(|node| Some(*node) != s && *node != p) {
            prop_assert!(!cluster.node(node).offline, "onto an offline node");
        }
        if !all_online || instance.forthcoming {
            continue;
        }
        for id in cluster.node_ids() {
            let (old, new, node) = (before.usage(id), after.usage(id), cluster.node(id));
            prop_assert!(old.fails_n1 || !new.fails_n1, "a node fails N+1 that did not");
            if id == t && t != p {
                prop_assert!(new.vcpus as f64 / node.cpus <= node.vcpu_ratio, "too many virtual CPUs");
                prop_assert!(new.tag_conflicts <= old.tag_conflicts, "an exclusion tag is there twice");
                prop_assert!(new.unallocated(node) > 0);
            }
        }
    }
    Ok(State::new(&now, N1Rule::default()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_plan_breaks_a_limit_on_its_way(text in text()) {
        let Loaded { cluster, mut state, .. } = loaded(&text);
        let nodes: Vec<NodeId> = cluster.node_ids().collect();
        let start = state.clone();
        let steps = run(&cluster, &mut state, nodes.clone(), &Options::default(), f64::NEG_INFINITY);
        let end = replay(&cluster, &steps)?;
        prop_assert_eq!(&end.primary, &state.primary);
        let mut other = start.clone();
        let effort = Effort { seed: 3, rounds: 8 };
        let better = improve(&cluster, &mut other, &nodes, &Options::default(), f64::NEG_INFINITY, effort);
        let end = replay(&cluster, &better)?;
        prop_assert_eq!(&end.primary, &other.primary);
        prop_assert!(better.len() <= steps.len());
        prop_assert!(score(&cluster, &other, &nodes) <= score(&cluster, &state, &nodes) + 1e-9);
        let mut again = start;
        prop_assert_eq!(better, improve(&cluster, &mut again, &nodes, &Options::default(), f64::NEG_INFINITY, effort));
    }
}

/// A crowded cluster of six equal nodes from a seed.
fn crowded(seed: u64) -> String {
    let mut number = seed;
    let mut below = |limit: u64| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) % limit
    };
    let mut lines = String::new();
    let mut free = [7900_u64; 6];
    for at in 0..26 {
        let (memory, first) = (256 << below(4), below(6) as usize);
        let Some(primary) = (0..6).map(|step| (first + step) % 6).find(|node| free[*node] > memory + 300) else { continue };
        free[primary] -= memory;
        let secondary = (primary + 1 + below(5) as usize) % 6;
        lines += &format!("i{at}|{memory}|{}|1|running|Y|n{primary}|n{secondary}|drbd||1|-\n", 1024 * (1 + below(20)));
    }
    let nodes: String = (0..6).map(|at| format!("n{at}|8192|292|{}|900000|900000|16|N|uuid-g|3||N|0|1|1.0\n", free[at])).collect();
    format!("g|uuid-g|preferred||\n\n{nodes}\n{lines}\n\n")
}

#[test]
fn the_search_beats_the_greedy_plan_on_some_clusters() {
    let mut better = 0;
    for seed in 1..=10 {
        let Loaded { cluster, state, .. } = loaded(&crowded(seed));
        let nodes: Vec<NodeId> = cluster.node_ids().collect();
        let (mut greedy, mut searched) = (state.clone(), state);
        let steps = run(&cluster, &mut greedy, nodes.clone(), &Options::default(), f64::NEG_INFINITY);
        let found = improve(&cluster, &mut searched, &nodes, &Options::default(), f64::NEG_INFINITY, Effort { seed: 1, rounds: 40 });
        let (old, new) = (score(&cluster, &greedy, &nodes), score(&cluster, &searched, &nodes));
        println!("seed {seed}: {old:.6} in {} moves, searched {new:.6} in {}", steps.len(), found.len());
        assert!(new <= old + 1e-9 && found.len() <= steps.len(), "seed {seed}");
        better += usize::from(new < old - 1e-6);
    }
    assert!(better >= 3, "only {better} of 10 are better");
}
