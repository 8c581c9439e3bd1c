//! What one node adds to the score: a row of numbers, one lane per column.
//!
//! Lanes lie side by side so that sixteen columns are summed at once, each in the order of the nodes.

use crate::node::Node;
use crate::state::{Usage, real};

/// Places of the columns in a row.
pub(crate) mod lane {
    pub(crate) const MEMORY: usize = 0;
    pub(crate) const DISK: usize = 1;
    pub(crate) const RESERVED: usize = 2;
    pub(crate) const CPU: usize = 3;
    pub(crate) const CPU_LOAD: usize = 4;
    pub(crate) const MEMORY_LOAD: usize = 5;
    pub(crate) const DISK_LOAD: usize = 6;
    pub(crate) const NETWORK_LOAD: usize = 7;
    pub(crate) const SPINDLES: usize = 8;
    pub(crate) const EVENTUAL_MEMORY: usize = 9;
    pub(crate) const EVENTUAL_DISK: usize = 10;
    pub(crate) const EVENTUAL_CPU: usize = 11;
    pub(crate) const EVENTUAL_SPINDLES: usize = 12;
    /// Instances of a node that fails N+1.
    pub(crate) const N1: usize = 13;
    /// Conflicts of exclusion tags.
    pub(crate) const TAGS: usize = 14;
    /// Shared failure causes and unmet wishes.
    pub(crate) const LOCATION: usize = 15;
}

/// Lanes before this one are spreads: their standard deviation counts.
pub(super) const SPREADS: usize = 13;
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
