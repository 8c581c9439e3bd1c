//! How even a cluster is: Ganeti's cluster score, lower is better.
//!
//! A weighted sum of standard deviations over the usable nodes (free memory, free disk, reserved memory, virtual CPUs,
//! loads, spindles) and of counts (instances on nodes that fail N+1, exclusion tags used twice). Sums are kept so that a
//! trial placement costs the same in a large cluster as in a small one. Left out so far are the components that need data
//! only other tools have: locations, forthcoming instances, measured loads (every instance counts as one).

use crate::legacy::cluster::Cluster;
use crate::legacy::node::Load;

/// Weights of the spreads, in the order of [`spreads`].
const SPREAD_WEIGHTS: [f64; SPREADS] = [0.5, 0.5, 1.0, 0.5, 3.0, 1.0, 0.5];
const SPREADS: usize = 7;
/// Weights of the counts, in the order of [`counts`].
const COUNT_WEIGHTS: [f64; COUNTS] = [1.0, 2.0, 0.25];
const COUNTS: usize = 3;

/// The sums over all usable nodes from which the score is computed.
#[derive(Debug, Clone)]
pub struct Metric {
    nodes: f64,
    sums: [f64; SPREADS],
    squares: [f64; SPREADS],
    counts: [f64; COUNTS],
}

/// The values of one node.
#[derive(Debug, Clone, Copy)]
struct Values {
    spreads: [f64; SPREADS],
    counts: [f64; COUNTS],
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The values of a node with this load.
fn values(cluster: &Cluster, node: usize, load: &Load) -> Values {
    let nodes = &cluster.nodes;
    let memory = nodes.total_memory[node] as f64;
    let disk = nodes.total_disk[node] as f64;
    let policy = &cluster.groups[nodes.group[node]].policy;
    let allowed_spindles = policy.spindle_ratio * nodes.spindles[node] as f64;
    let reserved = ratio(load.reserved as f64, memory);
    let instances = (load.primaries + load.secondaries) as f64;
    Values {
        spreads: [
            ratio(load.unallocated as f64, memory),
            if disk > 0.0 { load.free_disk as f64 / disk } else { 1.0 },
            reserved,
            ratio(load.vcpus as f64, nodes.cpus[node] as f64),
            // Loads of processor, memory and network: one per primary each.
            load.primaries as f64,
            // Load of disks: secondaries write, too.
            instances,
            ratio(load.spindle_use as f64, allowed_spindles),
        ],
        counts: [if load.fails_n1() { instances } else { 0.0 }, load.conflicts as f64, reserved],
    }
}

impl Metric {
    /// The sums of a cluster as it is, over `group` or all of it.
    #[must_use]
    pub fn of(cluster: &Cluster, group: Option<usize>) -> Self {
        let mut metric = Self { nodes: 0.0, sums: [0.0; SPREADS], squares: [0.0; SPREADS], counts: [0.0; COUNTS] };
        for node in 0..cluster.nodes.len() {
            if cluster.nodes.usable[node] && group.is_none_or(|group| cluster.nodes.group[node] == group) {
                metric.nodes += 1.0;
                metric.change(&values(cluster, node, &cluster.nodes.load(node)), 1.0);
            }
        }
        metric
    }

    /// The score if these usable nodes had these loads instead of their own.
    #[must_use]
    pub fn score_with(&self, cluster: &Cluster, changed: &[(usize, Load)]) -> f64 {
        let mut metric = self.clone();
        for (node, load) in changed {
            metric.change(&values(cluster, *node, &cluster.nodes.load(*node)), -1.0);
            metric.change(&values(cluster, *node, load), 1.0);
        }
        metric.score()
    }

    /// The score; 0 without usable nodes.
    #[must_use]
    pub fn score(&self) -> f64 {
        if self.nodes == 0.0 {
            return 0.0;
        }
        let spread = |index: usize| {
            let mean = self.sums[index] / self.nodes;
            (self.squares[index] / self.nodes - mean * mean).max(0.0).sqrt()
        };
        let spreads: f64 = (0..SPREADS).map(|index| SPREAD_WEIGHTS[index] * spread(index)).sum();
        let counts: f64 = (0..COUNTS).map(|index| COUNT_WEIGHTS[index] * self.counts[index]).sum();
        spreads + counts
    }

    fn change(&mut self, values: &Values, sign: f64) {
        for (index, value) in values.spreads.iter().enumerate() {
            self.sums[index] += sign * value;
            self.squares[index] += sign * value * value;
        }
        for (index, value) in values.counts.iter().enumerate() {
            self.counts[index] += sign * value;
        }
    }
}
