//! What placement chooses from the answers of nodes.

use gannet_proto::node::{InstanceListReply, NodeInfoReply};

use super::*;
use crate::rule::sample;

fn facts(free: u64, guests: &[(&str, u64)]) -> Facts {
    let info = NodeInfoReply { memory_total_mib: 4096, memory_free_mib: free, cpu_total: 4, ..NodeInfoReply::default() };
    let instances = guests.iter().map(|(name, memory)| gannet_proto::node::InstanceInfo {
        name: (*name).to_owned(),
        memory_mib: *memory,
        ..gannet_proto::node::InstanceInfo::default()
    });
    Facts { info, instances: InstanceListReply { instances: instances.collect(), ..InstanceListReply::default() } }
}

fn allocate(facts: &HashMap<NodeUuid, Facts>, change: impl FnOnce(&mut Wanted<'_>)) -> Result<Vec<NodeUuid>, NoPlace> {
    let config = sample::config();
    let instance = sample::instance(2, 1);
    let mut wanted = Wanted {
        instance: &instance,
        template: DiskTemplate::SharedFile,
        disks_mib: vec![1024],
        start: true,
        group: None,
        nodes: None,
        ignore_policy: false,
    };
    change(&mut wanted);
    Placer::from_facts(&config, facts, wanted.template, None).unwrap().allocate(&config, &wanted)
}

fn node(n: u32) -> NodeUuid {
    sample::uuid(1, n).into()
}

#[test]
fn nodes_that_do_not_answer_are_left_out() {
    let all =
        HashMap::from([(node(1), facts(3000, &[("web1.example.com", 256)])), (node(2), facts(4000, &[])), (node(3), facts(4000, &[]))]);
    assert_eq!(allocate(&all, |_| {}).unwrap(), [node(3)], "of equals the last, as hail has it");
    assert_eq!(allocate(&all, |wanted| wanted.nodes = Some(vec![node(2)])).unwrap(), [node(2)]);
    let only_first = HashMap::from([(node(1), facts(3000, &[]))]);
    assert_eq!(allocate(&only_first, |_| {}).unwrap(), [node(1)]);
    assert!(allocate(&HashMap::new(), |_| {}).is_err());
}

#[test]
fn memory_of_a_guest_that_stands_still_is_kept() {
    let running = HashMap::from([(node(1), facts(400, &[("web1.example.com", 256)]))]);
    assert!(allocate(&running, |_| {}).is_ok());
    let stopped = HashMap::from([(node(1), facts(400, &[]))]);
    assert_eq!(
        allocate(&stopped, |_| {}).unwrap_err().to_string(),
        "not enough memory: node1.example.com (wanted 256 MiB, free 144 MiB); it fits with at most 143 MiB of memory, or 113 MiB more \
         of free memory on node1.example.com"
    );
}

/// Instances on shared storage that no other node has room for are told by verify, and do not hinder others; one that would
/// be the first of them is refused.
#[test]
fn only_what_a_placement_makes_worse_forbids_it() {
    let roomy = HashMap::from([(node(2), facts(4000, &[])), (node(3), facts(4000, &[]))]);
    assert!(allocate(&roomy, |_| {}).is_ok());
    let one = HashMap::from([(node(2), facts(4000, &[]))]);
    assert!(allocate(&one, |_| {}).is_ok(), "a single node has no redundancy to keep");
    let tight = HashMap::from([(node(2), facts(4000, &[])), (node(3), facts(200, &[]))]);
    let refused = allocate(&tight, |_| {}).unwrap_err().to_string();
    assert!(refused.contains("N+1: with it, the loss of node2.example.com could not be made up for"), "{refused}");
    assert!(refused.contains("or the N+1 check switched off"), "{refused}");
    assert!(allocate(&tight, |wanted| wanted.template = DiskTemplate::File).is_ok(), "it is lost with its node anyway");
}

#[test]
fn files_take_room_where_the_file_storage_is_asked_about() {
    let space = |free_mib| gannet_proto::node::StorageSpace { total_mib: 10_000, free_mib, ..Default::default() };
    let with = |free| Facts { info: NodeInfoReply { storage: vec![space(free)], ..facts(4000, &[]).info }, ..facts(4000, &[]) };
    let all = HashMap::from([(node(2), with(1000)), (node(3), with(5000))]);
    let file = |wanted: &mut Wanted<'_>| wanted.template = DiskTemplate::File;
    assert_eq!(allocate(&all, file).unwrap(), [node(3)], "1024 MiB do not fit into 1000");
    let full = HashMap::from([(node(2), with(1000)), (node(3), with(10))]);
    let refused = allocate(&full, file).unwrap_err().to_string();
    assert!(refused.contains("not enough disk space: node2.example.com (wanted 1024 MiB, free 1000 MiB), node3"), "{refused}");
}

#[test]
fn the_allocator_is_the_one_that_was_asked_for() {
    let config = sample::config();
    let chosen = |iallocator, node| chosen_iallocator(&config, iallocator, node).map_err(|refusal| refusal.message);
    assert_eq!(chosen(None, Some("node1")), Ok(None));
    assert_eq!(chosen(None, None), Ok(Some("hail".to_owned())));
    assert_eq!(chosen(Some("."), None), Ok(Some("hail".to_owned())));
    assert!(chosen(Some("mine"), None).unwrap_err().contains("not available"));
    assert_eq!(chosen(Some("hail"), Some("node1")).unwrap_err(), "Do not specify both, iallocator and node");
}
