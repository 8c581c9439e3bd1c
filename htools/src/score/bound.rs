//! The score that cannot be gone below, because memory must be reserved somewhere.

use crate::cluster::Cluster;
use crate::id::NodeId;
use crate::state::{State, real};

/// The weight of the reserved memory in the score.
const RESERVED_WEIGHT: f64 = 0.25;

/// The lower bound that balancing stops at: what reserving evenly over all nodes but the largest costs. 0 for fewer than two nodes.
#[must_use]
pub fn optimum(cluster: &Cluster, state: &State, nodes: &[NodeId]) -> f64 {
    if nodes.len() < 2 {
        return 0.0;
    }
    let memories = nodes.iter().map(|id| cluster.node(*id).total_memory);
    let total = memories.clone().fold(0.0, |sum, memory| sum + memory);
    let largest = memories.fold(f64::NEG_INFINITY, f64::max);
    let without = total - largest;
    if without <= 0.0 {
        return 0.0;
    }
    let mirrored = real(nodes.iter().map(|id| state.peers[id.at()].sum()).sum());
    RESERVED_WEIGHT * (mirrored / without - mirrored / total)
}
