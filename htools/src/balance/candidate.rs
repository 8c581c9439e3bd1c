//! What can be tried with one instance.

use super::Options;
use super::frame::Kind;
use crate::cluster::Cluster;
use crate::id::InstanceId;
use crate::instance::Mirror;
use crate::moves::{Move, Trial};
use crate::score::Board;
use crate::state::State;

/// The best candidate so far.
#[derive(Debug, Clone)]
pub(super) struct Best {
    pub instance: InstanceId,
    pub chosen: Move,
    pub trial: Trial,
    pub score: f64,
    /// The score with the price of what is copied.
    pub cost: f64,
}

/// The place of a move among the candidates of its instance.
pub(super) fn order(chosen: Move) -> (usize, u8) {
    match chosen {
        Move::Failover => (0, 0),
        Move::FailoverToAny(t) => (t.at() + 1, 0),
        Move::ReplaceSecondary(t) => (t.at() + 1, 1),
        Move::ReplaceAndFailover(t) => (t.at() + 1, 2),
        Move::ReplacePrimary(t) => (t.at() + 1, 3),
        Move::FailoverAndReplace(t) => (t.at() + 1, 4),
    }
}

/// What can be tried with an instance: first a move without a target, then each kind with each target.
pub(super) fn choice(
    cluster: &Cluster,
    state: &State,
    board: &Board,
    options: &Options,
    id: InstanceId,
) -> (Option<Move>, &'static [Kind]) {
    let mirror = cluster.instance(id).mirror();
    let (primary, secondary) = (state.primary[id.at()], state.secondary[id.at()]);
    let use_secondary = options.instance_moves && secondary.is_some_and(|node| board.is_online(node));
    let first = (mirror == Mirror::Internal && use_secondary).then_some(Move::Failover);
    (first, kinds(mirror, use_secondary, options, cluster.node(primary).offline))
}

/// The candidates of an instance, in the order in which ties are decided.
pub(super) fn moves<'a>(
    cluster: &'a Cluster,
    state: &'a State,
    board: &'a Board,
    options: &Options,
    id: InstanceId,
) -> impl Iterator<Item = Move> + 'a {
    let (primary, secondary) = (state.primary[id.at()], state.secondary[id.at()]);
    let (first, kinds) = choice(cluster, state, board, options, id);
    let targets = board.online().filter(move |node| *node != primary && Some(*node) != secondary);
    first.into_iter().chain(targets.flat_map(move |target| kinds.iter().map(move |kind| kind(target))))
}

fn kinds(mirror: Mirror, use_secondary: bool, options: &Options, primary_offline: bool) -> &'static [Kind] {
    match mirror {
        Mirror::None => &[],
        Mirror::External if options.instance_moves => &[Move::FailoverToAny],
        Mirror::External => &[],
        Mirror::Internal if !options.disk_moves => &[],
        Mirror::Internal if !options.instance_moves => &[Move::ReplaceSecondary],
        Mirror::Internal => match (use_secondary, options.restricted_migration, primary_offline) {
            (_, true, false) => &[Move::ReplaceSecondary],
            (true, false, _) => &[Move::ReplaceSecondary, Move::ReplaceAndFailover, Move::ReplacePrimary, Move::FailoverAndReplace],
            (true, true, true) => &[Move::ReplaceSecondary, Move::ReplaceAndFailover, Move::FailoverAndReplace],
            (false, ..) => &[Move::ReplaceSecondary, Move::ReplaceAndFailover],
        },
    }
}
