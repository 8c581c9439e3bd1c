//! Whether a group survives the loss of any one of its nodes ("global N+1").
//!
//! A node can be evacuated when, in this order: all of its drbd primaries can fail over, each of its primaries with shared
//! storage finds the best of the other nodes of the group, and each of the others (plain, file, diskless), the largest first, can
//! be made anew on another node. Soft limits do not count.
//!
//! What fails over with drbd needs memory on given nodes only, so nodes that hold nothing else are judged by sums
//! ([`drbd`]); the others are played through on a copy of the state.

mod drbd;
mod played;
mod scope;
mod watch;

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
}

/// How many nodes of a scope cannot be evacuated.
#[must_use]
pub fn failures(cluster: &Cluster, state: &State, scope: &Scope) -> usize {
    let mut played = None;
    scope.counted(cluster).filter(|node| !one_of(cluster, state, scope, *node, &mut played)).count()
}

/// Judges one node; the copy of the state is made when the first node needs it.
fn one_of(cluster: &Cluster, state: &State, scope: &Scope, node: NodeId, played: &mut Option<played::Played>) -> bool {
    if drbd::is_only(cluster, state, node) {
        return drbd::can_evacuate(cluster, state, node);
    }
    played.get_or_insert_with(|| played::Played::new(state.clone(), scope.nodes.clone())).can_evacuate(cluster, node)
}
