//! Moves: what is foretold of them is true, and they can be taken back exactly.

use gannet_htools::load::Loaded;
use gannet_htools::score::{Board, score};
use gannet_htools::state::{N1Rule, State};
use gannet_htools::{Move, NodeId, save};
use proptest::prelude::*;

use super::random::{loaded, text};

/// Any move, also those that hbal would not try; the target differs from the present nodes.
fn chosen(state: &State, nodes: usize, instance: usize, kind: usize, target: usize) -> Option<Move> {
    let taken = [Some(state.primary[instance]), state.secondary[instance]];
    let free: Vec<NodeId> = (0..nodes).map(NodeId::new).filter(|node| !taken.contains(&Some(*node))).collect();
    let target = *free.get(target % free.len().max(1))?;
    let internal: [fn(NodeId) -> Move; 5] =
        [|_| Move::Failover, Move::ReplacePrimary, Move::ReplaceSecondary, Move::ReplaceAndFailover, Move::FailoverAndReplace];
    Some(if state.secondary[instance].is_some() { internal[kind % internal.len()](target) } else { Move::FailoverToAny(target) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn moves_keep_their_promises_and_can_be_undone(text in text(), moves in prop::collection::vec((0usize..15, 0usize..5, 0usize..6, any::<bool>()), 1..25)) {
        let Loaded { cluster, mut state, .. } = loaded(&text);
        let nodes: Vec<NodeId> = cluster.node_ids().collect();
        let first = state.clone();
        let mut undos = Vec::new();
        let mut states = Vec::new();
        // Follows all moves, and is told of the changed nodes only.
        let mut running = Board::new(&cluster, &state, nodes.clone());
        for (instance, kind, target, force) in moves {
            if cluster.instances.is_empty() { break }
            let id = gannet_htools::InstanceId::new(instance % cluster.instances.len());
            let Some(chosen) = chosen(&state, nodes.len(), id.at(), kind, target) else { continue };
            let Ok(trial) = state.trial(&cluster, id, chosen, force) else { continue };
            let mut board = Board::new(&cluster, &state, nodes.clone());
            let foretold = board.score_after(&cluster, &state, id, &trial);
            prop_assert_eq!(board.score().to_bits(), score(&cluster, &state, &nodes).to_bits());
            states.push(state.clone());
            undos.push(state.apply(&cluster, id, chosen, &trial));
            prop_assert_eq!(foretold.to_bits(), score(&cluster, &state, &nodes).to_bits());
            running.refresh_some(&cluster, &state, trial.touched().iter().map(|(node, _)| *node));
            prop_assert!((running.score() - foretold).abs() <= 1e-10, "{} is not {foretold}", running.score());
            check_sums(&cluster, &state)?;
        }
        while let (Some(undo), Some(before)) = (undos.pop(), states.pop()) {
            state.undo(undo);
            prop_assert_eq!(&state, &before);
        }
        prop_assert_eq!(state, first);
    }

    #[test]
    fn a_saved_cluster_is_read_again_as_it_was(text in text()) {
        let Loaded { cluster, state, .. } = loaded(&text);
        let again = loaded(&save::text(&cluster, &state));
        prop_assert_eq!(&again.cluster.instances, &cluster.instances);
        prop_assert_eq!(&again.cluster.nodes, &cluster.nodes);
        prop_assert_eq!(again.state, state);
    }
}

/// What can be counted anew from where the instances are.
fn check_sums(cluster: &gannet_htools::Cluster, state: &State) -> Result<(), TestCaseError> {
    let mut moved = cluster.clone();
    for (at, instance) in moved.instances.iter_mut().enumerate() {
        (instance.primary, instance.secondary) = (state.primary[at], state.secondary[at]);
    }
    let anew = State::new(&moved, N1Rule::default());
    for (now, anew) in state.usage.iter().zip(&anew.usage) {
        prop_assert_eq!(now.instance_memory, anew.instance_memory);
        prop_assert_eq!(now.reserved_memory, anew.reserved_memory);
        prop_assert_eq!((now.vcpus, now.eventual_vcpus), (anew.vcpus, anew.eventual_vcpus));
        prop_assert_eq!((now.primaries, now.secondaries), (anew.primaries, anew.secondaries));
        prop_assert_eq!((now.tag_conflicts, now.location), (anew.tag_conflicts, anew.location));
        prop_assert_eq!(now.fails_n1, anew.fails_n1);
    }
    prop_assert_eq!(&state.exclusion, &anew.exclusion);
    prop_assert_eq!(&state.pairs, &anew.pairs);
    prop_assert_eq!(&state.shared, &anew.shared);
    Ok(())
}
