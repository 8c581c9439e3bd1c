//! Large clusters for measuring: one group, drbd instances of a few sizes, placed at random. The same numbers give the same
//! cluster everywhere, so that figures of different releases can be compared.

use super::model::{Cluster, Group, Instance, Node, Policy};

/// Memory that stays free on each node beside what an instance takes.
const MARGIN: u64 = 1024;
const NODE_MEMORY: u64 = 64 * 1024;
const NODE_DISK: u64 = 4 * 1024 * 1024;

/// How instances lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Some nodes have more than others: there is something to balance.
    Uneven,
    /// Nodes are about equally full, and could take over from each other: no node fails N+1.
    Healthy,
    /// As [`Self::Healthy`], and every instance has another template than drbd.
    Single(&'static str),
}

/// A generator of numbers that is the same everywhere (PCG, 32 bits).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (((self.0 >> 18) ^ self.0) >> 27) as u32;
        mixed.rotate_right((self.0 >> 59) as u32) as usize % limit
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// `nodes` equal nodes with `instances` instances on them; fewer when they do not fit.
#[must_use]
pub fn cluster(nodes: usize, instances: usize, shape: Shape, seed: u64) -> Cluster {
    let mut chance = Chance(seed);
    let mut all: Vec<Node> = (0..nodes).map(node).collect();
    let instances = (0..instances).filter_map(|at| instance(at, &mut all, shape, &mut chance)).collect();
    let group = Group { name: "default".to_owned(), alloc_policy: "preferred" };
    Cluster { groups: vec![group], nodes: all, instances, tags: Vec::new(), policies: vec![policy()] }
}

/// Ganeti's own default.
fn policy() -> Policy {
    let range = ([128, 1, 1024, 1, 1, 1], [32_768, 8, 1_048_576, 16, 8, 12]);
    Policy {
        group: None,
        standard: range.0,
        ranges: vec![range],
        templates: vec!["drbd", "plain", "sharedfile", "file", "rbd", "ext", "diskless"],
        vcpu_ratio: 4.0,
        spindle_ratio: 32.0,
    }
}

fn node(at: usize) -> Node {
    Node {
        name: format!("node{at:04}"),
        group: 0,
        memory: NODE_MEMORY,
        own_memory: 1024,
        free_memory: NODE_MEMORY - 1024,
        disk: NODE_DISK,
        free_disk: NODE_DISK,
        cpus: 32,
        own_cpus: 1,
        cpu_speed: 1.0,
        state: if at == 0 { 'M' } else { 'N' },
        spindles: 8,
        free_spindles: 0,
        exclusive_storage: false,
        tags: Vec::new(),
    }
}

fn instance(at: usize, nodes: &mut [Node], shape: Shape, chance: &mut Chance) -> Option<Instance> {
    let count = nodes.len();
    let (memory, disk) = (chance.one_of(&[512, 1024, 2048, 4096]), chance.one_of(&[10_240, 20_480, 51_200]));
    let vcpus = 1 + chance.below(4) as u64;
    let (a, b) = (chance.below(count), chance.below(count));
    let first = match shape {
        Shape::Uneven => a.min(b),
        Shape::Healthy | Shape::Single(_) => {
            if nodes[a].free_memory >= nodes[b].free_memory {
                a
            } else {
                b
            }
        }
    };
    let second = chance.below(count - 1);
    let fits = |node: &Node| node.free_memory > memory + MARGIN && node.free_disk > disk + MARGIN;
    let primary = (0..count).map(|step| (first + step) % count).find(|at| fits(&nodes[*at]))?;
    let others = (0..count - 1).map(|step| (primary + 1 + (second + step) % (count - 1)) % count);
    let template = if let Shape::Single(template) = shape { template } else { "drbd" };
    let secondary = if template == "drbd" { Some(others.into_iter().find(|at| nodes[*at].free_disk > disk + MARGIN)?) } else { None };
    nodes[primary].free_memory -= memory;
    if matches!(template, "drbd" | "plain") {
        std::iter::once(primary).chain(secondary).for_each(|at| nodes[at].free_disk -= disk);
    }
    Some(Instance {
        name: format!("instance{at:05}"),
        memory,
        disk,
        vcpus,
        status: "running",
        auto_balance: true,
        primary,
        secondary,
        template,
        tags: Vec::new(),
        spindle_use: 1,
        spindles: None,
        forthcoming: false,
    })
}
