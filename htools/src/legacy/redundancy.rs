//! N+1 for shared storage: if one node fails, can its instances be started on the others?

use std::collections::BinaryHeap;

use crate::legacy::cluster::Cluster;
use crate::legacy::instance::{Instance, Mirror};

/// The usable nodes of a group whose instances on shared storage would not all find memory on the others. None in a group
/// with fewer than two usable nodes: there is no redundancy to keep. Instances are taken largest first, each to the node with
/// most memory left.
#[must_use]
pub fn failing(cluster: &Cluster, group: usize, added: Option<(&Instance, usize)>) -> Vec<usize> {
    let nodes: Vec<usize> = cluster.nodes.usable_in(group).collect();
    if nodes.len() < 2 {
        return Vec::new();
    }
    let mut room = vec![0_i64; cluster.nodes.len()];
    let mut guests: Vec<Vec<i64>> = vec![Vec::new(); cluster.nodes.len()];
    for &node in &nodes {
        let load = cluster.nodes.load(node);
        room[node] = load.unallocated - load.reserved;
    }
    let mut add = |instance: &Instance, node: usize| {
        if instance.mirror() == Mirror::External && instance.auto_balance && instance.uses_memory {
            guests[node].push(crate::legacy::node::signed(instance.memory_mib));
        }
    };
    cluster.instances.iter().for_each(|instance| add(instance, instance.primary));
    if let Some((instance, node)) = added {
        add(instance, node);
        room[node] -= crate::legacy::node::signed(instance.used_memory_mib());
    }
    nodes.iter().copied().filter(|&node| !can_be_emptied(node, &nodes, &room, &mut guests)).collect()
}

fn can_be_emptied(node: usize, nodes: &[usize], room: &[i64], guests: &mut [Vec<i64>]) -> bool {
    if guests[node].is_empty() {
        return true;
    }
    guests[node].sort_unstable_by(|a, b| b.cmp(a));
    let mut rooms: BinaryHeap<i64> = nodes.iter().filter(|&&other| other != node).map(|&other| room[other]).collect();
    guests[node].iter().all(|&memory| match rooms.pop() {
        Some(largest) if largest > memory => {
            rooms.push(largest - memory);
            true
        }
        _ => false,
    })
}
