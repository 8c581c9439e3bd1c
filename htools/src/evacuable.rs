//! Whether a group survives the loss of any one of its nodes ("global N+1").
//!
//! A node can be evacuated when, in this order: all of its drbd primaries can fail over, each of its primaries with shared
//! storage finds the best of the other nodes of the group, and each of the others (plain, file, diskless), the largest first, can
//! be made anew on another node. Soft limits do not count.
//!
//! What fails over with drbd needs memory on given nodes only, so nodes that hold nothing else are judged by sums
//! ([`drbd`]); the others are played through on a copy of the state.

mod drbd;
pub mod loss;
mod played;
mod scope;
mod watch;

pub use loss::Loss;
pub use scope::{Scope, Which};
pub use watch::Watch;

use crate::cluster::Cluster;
use crate::id::NodeId;
use crate::state::State;

/// Whether each of the nodes of a scope that count can be evacuated.
#[must_use]
pub fn all(cluster: &Cluster, state: &State, scope: &Scope) -> bool {
    let mut played = None;
    scope.counted(cluster).all(|node| one_of(cluster, state, scope, node, &mut played))
        && failing_losses(cluster, state, scope).next().is_none()
}

/// The losses of several nodes that are asked about and cannot be made up for.
pub fn failing_losses<'a>(cluster: &'a Cluster, state: &State, scope: &'a Scope) -> impl Iterator<Item = &'a Loss> + use<'a> {
    let mut played = (!scope.which.losses.is_empty()).then(|| played::Played::new(state.clone(), scope.clone()));
    scope.losses().filter(move |loss| played.as_mut().is_some_and(|played| !played.can_lose(cluster, &loss.nodes)))
}

/// How many nodes of a scope cannot be evacuated.
#[must_use]
pub fn failures(cluster: &Cluster, state: &State, scope: &Scope) -> usize {
    failing(cluster, state, scope).len()
}

/// The nodes of a scope that cannot be evacuated, in order.
#[must_use]
pub fn failing(cluster: &Cluster, state: &State, scope: &Scope) -> Vec<NodeId> {
    let mut played = None;
    scope.counted(cluster).filter(|node| !one_of(cluster, state, scope, *node, &mut played)).collect()
}

/// Judges one node; the copy of the state is made when the first node needs it.
fn one_of(cluster: &Cluster, state: &State, scope: &Scope, node: NodeId, played: &mut Option<played::Played>) -> bool {
    if drbd::is_only(cluster, state, scope, node) {
        return drbd::can_evacuate(cluster, state, node);
    }
    played.get_or_insert_with(|| played::Played::new(state.clone(), scope.clone())).can_evacuate(cluster, node)
}
