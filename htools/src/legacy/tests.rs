//! Tests of placement: named cases, and properties of random clusters.

use std::collections::BTreeSet;

use gannet_core::param::ipolicy::IPolicy;
use gannet_core::param::{AllocPolicy, DiskTemplate};
use proptest::prelude::*;

use crate::legacy::alloc::Choice;
use crate::legacy::metric::Metric;
use crate::legacy::*;

fn node(name: &str, free: u64) -> Node {
    Node {
        name: name.to_owned(),
        group: 0,
        usable: true,
        total_memory_mib: 4096,
        node_memory_mib: 0,
        free_memory_mib: free,
        total_disk_mib: 100_000,
        free_disk_mib: 50_000,
        cpus: 4,
        node_cpus: 0,
        spindles: 1,
    }
}

fn instance(name: &str, memory_mib: u64, template: DiskTemplate) -> Instance {
    Instance {
        name: name.to_owned(),
        memory_mib,
        uses_memory: true,
        disks_mib: vec![1024],
        template,
        vcpus: 1,
        spindle_use: 1,
        nic_count: 1,
        auto_balance: true,
        tags: BTreeSet::new(),
        primary: 0,
        secondary: None,
    }
}

fn group(name: &str, alloc_policy: AllocPolicy) -> Group {
    Group { name: name.to_owned(), alloc_policy, policy: IPolicy::default() }
}

fn cluster(nodes: Vec<Node>, instances: Vec<Instance>) -> Cluster {
    Cluster::new(vec![group("default", AllocPolicy::Preferred)], nodes, instances, ["htools:iextags:service"]).unwrap()
}

fn placed(cluster: &Cluster, wanted: &Instance) -> String {
    let placement = allocate(cluster, wanted, &Choice::default()).unwrap();
    let names = [Some(placement.primary), placement.secondary];
    names.into_iter().flatten().map(|node| cluster.nodes.name(node)).collect::<Vec<_>>().join(":")
}

#[track_caller]
fn refused(cluster: &Cluster, wanted: &Instance) -> String {
    allocate(cluster, wanted, &Choice::default()).unwrap_err().to_string()
}

#[test]
fn the_emptiest_node_is_taken_and_names_break_ties() {
    let plain = instance("new", 512, DiskTemplate::File);
    let busy = cluster(vec![node("n2", 1000), node("n1", 4096), node("n3", 1000)], vec![]);
    assert_eq!(placed(&busy, &plain), "n1");
    let equal = cluster(vec![node("n3", 4096), node("n2", 4096), node("n1", 4096)], vec![]);
    assert_eq!(placed(&equal, &plain), "n1");
}

#[test]
fn limits_are_named_per_node() {
    let mut full = node("n2", 4096);
    full.free_disk_mib = 100;
    let small = cluster(vec![node("n1", 100), full], vec![]);
    let text = refused(&small, &instance("new", 512, DiskTemplate::File));
    assert_eq!(
        text,
        "n1: not enough memory: needed 512 MiB, 100 MiB not allocated; n2: not enough disk space: needed 1024 MiB, 100 MiB free"
    );
    let mut wide = instance("new", 128, DiskTemplate::File);
    wide.vcpus = 8;
    let one = cluster(vec![Node { cpus: 1, ..node("n1", 4096) }], vec![]);
    assert_eq!(refused(&one, &wide), "n1: too many virtual CPUs: 8 where the policy allows 4");
    wide.vcpus = 9;
    assert!(refused(&one, &wide).contains("group default: violates the instance policy: cpu-count value 9"));
    assert!(refused(&cluster(vec![], vec![]), &wide).contains("violates"));
    assert!(refused(&cluster(vec![], vec![]), &instance("x", 128, DiskTemplate::File)).contains("no usable node"));
}

#[test]
fn a_stopped_instance_takes_no_memory_but_a_wanted_one_does() {
    let mut there = instance("old", 3900, DiskTemplate::File);
    let wanted = instance("new", 512, DiskTemplate::File);
    let reserved = cluster(vec![node("n1", 4096)], vec![there.clone()]);
    assert!(refused(&reserved, &wanted).contains("not enough memory"));
    there.uses_memory = false;
    assert_eq!(placed(&cluster(vec![node("n1", 4096)], vec![there]), &wanted), "n1");
}

#[test]
fn exclusion_tags_keep_apart() {
    let mut first = instance("a", 128, DiskTemplate::File);
    first.tags.insert("service:dns".to_owned());
    let second = Instance { name: "b".to_owned(), ..first.clone() };
    let both = cluster(vec![node("n1", 4096), node("n2", 1000)], vec![first.clone()]);
    assert_eq!(placed(&both, &second), "n2");
    let alone = cluster(vec![node("n1", 4096)], vec![first]);
    assert_eq!(refused(&alone, &second), "n1: an instance with the exclusion tag service:dns is there already");
}

#[test]
fn shared_storage_keeps_a_place_for_each_node_that_fails() {
    let wanted = instance("new", 2500, DiskTemplate::SharedFile);
    let two = cluster(vec![node("n1", 4096), node("n2", 4096)], vec![]);
    assert_eq!(placed(&two, &wanted), "n1");
    let mut full = two.clone();
    full.place(Instance { primary: 0, ..instance("a", 2500, DiskTemplate::SharedFile) }).unwrap();
    assert_eq!(
        refused(&full, &wanted),
        "n1: not enough memory: needed 2500 MiB, 1596 MiB not allocated; \
         n2: N+1: the instances of n1 would have nowhere to go if it failed"
    );
    // A single node has no redundancy to keep.
    assert_eq!(placed(&cluster(vec![node("n1", 4096)], vec![]), &wanted), "n1");
}

#[test]
fn mirrored_disks_take_two_nodes_and_keep_memory_on_the_second() {
    let wanted = instance("new", 512, DiskTemplate::Drbd);
    let three = cluster(vec![node("n1", 4096), node("n2", 4096), node("n3", 600)], vec![]);
    assert_eq!(placed(&three, &wanted), "n1:n2");
    let tight = cluster(vec![node("n1", 4096), node("n2", 300)], vec![]);
    assert!(refused(&tight, &wanted).contains("n1 with n2: N+1"));
    assert!(!refused(&cluster(vec![node("n1", 4096)], vec![]), &wanted).is_empty());
}

#[test]
fn preferred_groups_come_first_and_unallocable_ones_never() {
    let groups =
        vec![group("last", AllocPolicy::LastResort), group("first", AllocPolicy::Preferred), group("no", AllocPolicy::Unallocable)];
    let nodes = vec![node("n1", 4096), Node { group: 1, ..node("n2", 1000) }, Node { group: 2, ..node("n3", 4096) }];
    let all = Cluster::new(groups, nodes, vec![], []).unwrap();
    let small = instance("new", 256, DiskTemplate::File);
    assert_eq!(placed(&all, &small), "n2");
    assert_eq!(placed(&all, &instance("new", 2000, DiskTemplate::File)), "n1");
    let only = Choice { group: Some(0), ..Choice::default() };
    assert_eq!(allocate(&all, &small, &only).unwrap().primary, 0);
    assert!(refused(&all, &instance("new", 5000, DiskTemplate::File)).contains("unallocable: no"));
}

#[test]
fn an_instance_on_shared_storage_finds_another_node() {
    let mut dead = node("n1", 4096);
    dead.usable = false;
    let moving = Instance { primary: 0, ..instance("a", 1024, DiskTemplate::SharedFile) };
    let data = cluster(vec![dead, node("n2", 900), node("n3", 4096)], vec![moving]);
    assert_eq!(relocate(&data, 0, &[]).unwrap().primary, 2);
    let none = relocate(&data, 0, &[2]).unwrap_err().to_string();
    assert_eq!(none, "n2: not enough memory: needed 1024 MiB, 900 MiB not allocated");
}

#[test]
fn data_that_refers_to_nothing_is_refused() {
    let wrong = Instance { primary: 7, ..instance("a", 1, DiskTemplate::File) };
    let result = Cluster::new(vec![group("g", AllocPolicy::Preferred)], vec![node("n", 1)], vec![wrong], []);
    assert_eq!(result.unwrap_err().to_string(), "instance a is on a node that is not in the data");
}

fn any_cluster() -> impl Strategy<Value = Cluster> {
    let nodes = proptest::collection::vec(500_u64..4096, 1..8);
    let instances = proptest::collection::vec((0_usize..8, 64_u64..1500, any::<bool>(), any::<bool>()), 0..12);
    (nodes, instances).prop_map(|(free, placed)| {
        let count = free.len();
        let nodes = free.into_iter().enumerate().map(|(n, free)| node(&format!("n{n}"), free)).collect();
        let instances = placed.into_iter().enumerate().map(|(n, (primary, memory, up, shared))| Instance {
            primary: primary % count,
            uses_memory: up,
            ..instance(&format!("i{n}"), memory, if shared { DiskTemplate::SharedFile } else { DiskTemplate::File })
        });
        cluster(nodes, instances.collect())
    })
}

proptest! {
    #[test]
    fn a_place_has_room_and_none_is_better(data in any_cluster(), memory in 128_u64..2000) {
        let wanted = instance("new", memory, DiskTemplate::File);
        match allocate(&data, &wanted, &Choice::default()) {
            Ok(found) => {
                prop_assert!(data.nodes.load(found.primary).unallocated > memory as i64);
                let score = |node: usize| {
                    let mut with = data.clone();
                    with.place(Instance { primary: node, ..wanted.clone() }).unwrap();
                    Metric::of(&with, None).score()
                };
                prop_assert!((score(found.primary) - found.score).abs() < 1e-6);
                for node in 0..data.nodes.len() {
                    let fits = data.nodes.load(node).unallocated > memory as i64;
                    let keeps = redundancy::failing(&data, 0, Some((&wanted, node))).iter()
                        .all(|bad| redundancy::failing(&data, 0, None).contains(bad));
                    prop_assert!(!fits || !keeps || score(node) > found.score - 1e-6, "node {node} is better");
                }
            }
            Err(why) => prop_assert_eq!(why.reasons.len() >= data.nodes.len(), true),
        }
    }

    #[test]
    fn placing_keeps_redundancy(data in any_cluster(), memory in 128_u64..2000) {
        let wanted = instance("new", memory, DiskTemplate::SharedFile);
        if let Ok(found) = allocate(&data, &wanted, &Choice::default()) {
            let before = redundancy::failing(&data, 0, None);
            let mut with = data.clone();
            with.place(Instance { primary: found.primary, ..wanted }).unwrap();
            prop_assert!(redundancy::failing(&with, 0, None).iter().all(|node| before.contains(node)));
        }
    }

    #[test]
    fn moving_there_and_back_changes_nothing(data in any_cluster(), to in 0_usize..8) {
        prop_assume!(!data.instances.is_empty());
        let mut moved = data.clone();
        let from = data.instances[0].primary;
        moved.move_primary(0, to % data.nodes.len()).unwrap();
        moved.move_primary(0, from).unwrap();
        for node in 0..data.nodes.len() {
            prop_assert_eq!(moved.nodes.load(node), data.nodes.load(node));
        }
    }
}
