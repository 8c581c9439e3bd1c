//! Searches: the fast one makes the plan of the plain one, and what is ranked is ranked right.

use gannet_htools::balance::{self, Options, run};
use gannet_htools::load::Loaded;
use gannet_htools::{Cluster, NodeId, State};
use proptest::prelude::*;

use super::random::{loaded, text};

/// What was planned, to the last bit.
fn plan(cluster: &Cluster, state: &State, options: &Options) -> (Vec<(usize, gannet_htools::Move, u64)>, State) {
    let mut state = state.clone();
    let nodes: Vec<NodeId> = cluster.node_ids().collect();
    let steps = run(cluster, &mut state, nodes, options, f64::NEG_INFINITY);
    (steps.iter().map(|step| (step.instance.at(), step.chosen, step.score.to_bits())).collect(), state)
}

fn options() -> impl Strategy<Value = Options> {
    let often = || prop::bool::weighted(0.85);
    let rare = || prop::bool::weighted(0.15);
    (often(), often(), rare(), rare(), rare(), prop::sample::select(vec![0.0, 0.01, 0.1]), prop::sample::select(vec![0.0, 0.1, 10.0]))
        .prop_map(|(disk_moves, instance_moves, restricted_migration, ignore_soft_errors, evacuate, min_gain, min_gain_limit)| Options {
            disk_moves,
            instance_moves,
            restricted_migration,
            ignore_soft_errors,
            evacuate,
            min_gain,
            min_gain_limit,
            ..Options::default()
        })
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
}
