//! What one node adds to the score: a row of numbers, one lane per column.
//!
//! Lanes lie side by side so that sixteen columns are summed at once, each in the order of the nodes.

use crate::node::Node;
use crate::state::{Usage, real};

pub(super) const MEMORY: usize = 0;
pub(super) const DISK: usize = 1;
pub(super) const RESERVED: usize = 2;
pub(super) const CPU: usize = 3;
pub(super) const CPU_LOAD: usize = 4;
pub(super) const MEMORY_LOAD: usize = 5;
pub(super) const DISK_LOAD: usize = 6;
pub(super) const NETWORK_LOAD: usize = 7;
pub(super) const SPINDLES: usize = 8;
pub(super) const EVENTUAL_MEMORY: usize = 9;
pub(super) const EVENTUAL_DISK: usize = 10;
pub(super) const EVENTUAL_CPU: usize = 11;
pub(super) const EVENTUAL_SPINDLES: usize = 12;
/// Lanes before this one are spreads: their standard deviation counts.
pub(super) const SPREADS: usize = 13;
/// Instances of a node that fails N+1.
pub(super) const N1: usize = 13;
/// Conflicts of exclusion tags.
pub(super) const TAGS: usize = 14;
/// Shared failure causes and unmet wishes.
pub(super) const LOCATION: usize = 15;
/// Number of lanes.
pub const LANES: usize = 16;

/// One node's numbers.
pub type Row = [f64; LANES];

/// The row of a node.
#[must_use]
pub fn row(node: &Node, usage: &Usage) -> Row {
    let limit = node.spindle_limit();
    let instances = i64::from(usage.primaries) + i64::from(usage.secondaries);
    let [cpu, memory, disk, network] = usage.load;
    [
        usage.free_memory_ratio(node),
        usage.free_disk_ratio(node),
        usage.reserved_ratio(node),
        usage.vcpu_ratio(node) / node.cpu_speed,
        cpu,
        memory,
        disk,
        network,
        usage.spindle_use / limit,
        usage.eventual_memory_ratio(node),
        usage.eventual_disk_ratio(node),
        usage.eventual_vcpu_ratio(node) / node.cpu_speed,
        usage.eventual_spindle_use / limit,
        if usage.fails_n1 { real(instances) } else { 0.0 },
        real(usage.tag_conflicts),
        real(usage.location),
    ]
}

/// Per lane the sum and the population variance of `rows`, in their order.
pub(super) fn moments(rows: &[Row]) -> (Row, Row) {
    let mut sum = [0.0; LANES];
    for row in rows {
        for lane in 0..LANES {
            sum[lane] += row[lane];
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^32 nodes")]
    let count = rows.len() as f64;
    let mean = sum.map(|sum| sum / count);
    let mut squares = [0.0; LANES];
    for row in rows {
        for lane in 0..LANES {
            let difference = row[lane] - mean[lane];
            squares[lane] += difference * difference;
        }
    }
    (sum, squares.map(|squares| squares / count))
}
