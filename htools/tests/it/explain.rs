//! Explanations of refusals: what they name is so, and what they propose helps.

use gannet_core::param::DiskTemplate;
use gannet_htools::allocate::Options;
use gannet_htools::explain::{Change, Explanation, Limit, Question, Role};
use gannet_htools::instance::Disk;
use gannet_htools::{Cluster, Instance, InstanceId, State};
use proptest::prelude::*;

use crate::random::{loaded, text};

/// A cluster with one more instance, which is on no node.
fn asked(text: &str, new: Instance) -> (Cluster, State, InstanceId) {
    let found = loaded(text);
    let (mut cluster, state) = (found.cluster, found.state);
    let id = InstanceId::new(cluster.instances.len());
    cluster.instances.push(new);
    (cluster, state, id)
}

fn instance(memory: i64, disk: i64, vcpus: i64, template: DiskTemplate) -> Instance {
    Instance { memory, vcpus, ..Instance::new("new", template, vec![Disk { size: disk, spindles: None }]) }
}

fn explain(text: &str, new: Instance, options: &Options) -> (Explanation, Vec<String>) {
    let (cluster, state, id) = asked(text, new);
    let question = Question { cluster: &cluster, state: &state, id, group: None, options };
    let found = question.explain();
    let sentences = found.sentences(&question);
    (found, sentences)
}

/// Three nodes of 4,000 MiB of memory, 20,000 MiB of disk and 2 CPUs; the third is drained.
fn three() -> String {
    let node = |at: u32, offline: &str| format!("node{at}|4000|0|4000|20000|20000|2|{offline}|u|1||N|0|0|1.0\n");
    format!("default|u|preferred||\n\n{}{}{}\n\n\n", node(1, "N"), node(2, "N"), node(3, "Y"))
}

#[test]
fn nothing_is_to_be_explained_where_there_is_room() {
    let (found, _) = explain(&three(), instance(1000, 2000, 1, DiskTemplate::Plain), &Options::default());
    assert_eq!(found, Explanation::default());
}

#[test]
fn memory_is_told_with_nodes_and_numbers() {
    let options = Options { capacity: false, ..Options::default() };
    let (found, sentences) = explain(&three(), instance(5000, 2000, 1, DiskTemplate::Plain), &options);
    assert_eq!(found.changes, [Change::Memory(3999), Change::MoreMemory(gannet_htools::NodeId::new(0), 1001)]);
    assert_eq!(
        sentences,
        [
            "not enough memory: node1 (wanted 5000 MiB, free 4000 MiB), node2 (wanted 5000 MiB, free 4000 MiB)",
            "it fits with at most 3999 MiB of memory, or 1001 MiB more of free memory on node1"
        ]
    );
}

#[test]
fn too_many_cpus_can_be_had_by_a_ratio() {
    let options = Options { capacity: false, ..Options::default() };
    let mut new = instance(128, 2000, 9, DiskTemplate::Plain);
    new.name = "big".to_owned();
    let (_, sentences) = explain(&three(), new, &options);
    assert_eq!(sentences[0], "group default does not allow it: 9 virtual CPUs, where its policy allows 8");
    let busy = three().replace("\n\n\n\n", "\n\na|100|1024|8|running|Y|node1||plain||1|-\nb|100|1024|8|running|Y|node2||plain||1|-\n\n");
    let (_, sentences) = explain(&busy, instance(128, 2000, 1, DiskTemplate::Plain), &options);
    assert_eq!(
        sentences[0],
        "virtual CPUs over the policy's ratio: node1 (9 would be used, 8 are allowed), node2 (9 would be used, 8 are allowed)"
    );
    assert_eq!(sentences[1], "it fits with a vcpu-ratio of 4.5 in group default, or node node3 in use again");
}

#[test]
fn the_loss_of_a_node_is_told() {
    let (found, sentences) = explain(&three(), instance(3000, 2000, 1, DiskTemplate::Drbd), &Options::default());
    assert_eq!(found, Explanation::default(), "{sentences:?}");
    // Drained nodes count as places to go to, as in Ganeti; so there is none here.
    let third = three().lines().find(|line| line.starts_with("node3")).map(|line| format!("{line}\n")).expect("it is there");
    let busy = three().replace(&third, "").replace("\n\n\n\n", "\n\na|3000|1024|1|running|Y|node1||sharedfile||1|-\n\n");
    let (found, sentences) = explain(&busy, instance(3000, 2000, 1, DiskTemplate::SharedFile), &Options::default());
    assert!(!found.lost.is_empty() && found.changes.contains(&Change::NoCapacityChecks), "{sentences:?}");
    assert!(sentences.iter().any(|sentence| sentence.starts_with("N+1: with it, the loss of ")), "{sentences:?}");
}

/// More nodes than those whose pairs are all tried again and again.
#[test]
fn a_large_cluster_is_explained_by_what_its_limits_name() {
    let node = |at: u32, memory: u32| format!("node{at:03}|{memory}|0|{memory}|20000|20000|2|N|u|1||N|0|0|1.0\n");
    let nodes: String = (0..310).map(|at| node(at, if at < 2 { 4100 - 100 * at } else { 3000 })).collect();
    let text = format!("default|u|preferred||\n\n{nodes}\n\n\n");
    let options = Options { capacity: false, ..Options::default() };
    let (found, sentences) = explain(&text, instance(5000, 2000, 1, DiskTemplate::Drbd), &options);
    // On the nearest node alone it would not be a pair.
    assert_eq!(found.changes, [Change::Memory(3999)], "{sentences:?}");
    assert!(
        sentences[0].starts_with("not enough memory as the primary node: node000 (wanted 5000 MiB, free 4100 MiB), node001"),
        "{sentences:?}"
    );
}

proptest! {
    #[test]
    fn what_is_named_is_so_and_what_is_proposed_helps(
        text in text(),
        memory in 100i64..12_000,
        disk in 1000i64..100_000,
        vcpus in 1i64..9,
        template in 0usize..3,
        capacity in any::<bool>(),
    ) {
        let template = [DiskTemplate::Plain, DiskTemplate::Drbd, DiskTemplate::SharedFile][template];
        let options = Options { capacity, ..Options::default() };
        let new = instance(memory, disk, vcpus, template);
        let (cluster, state, id) = asked(&text, new.clone());
        let question = Question { cluster: &cluster, state: &state, id, group: None, options: &options };
        let found = question.explain();
        if question.fits() {
            prop_assert_eq!(found, Explanation::default());
            return Ok(());
        }
        let told = found.sentences(&question);
        prop_assert!(!found.closed.is_empty() || !found.obstacles.is_empty() || !found.lost.is_empty() || !found.lost_already.is_empty(), "{:?}", told);
        for obstacle in &found.obstacles {
            prop_assert!(!matches!(obstacle.limit, Limit::Other(_)), "{:?}", told);
            let known = obstacle.role == Role::Secondary || state.with_primary(&cluster, obstacle.node, &new, 0, gannet_htools::Limits::All).is_err();
            prop_assert!(known, "{:?}", told);
        }
        let fits = |changed: Instance| {
            let (cluster, state, id) = asked(&text, changed);
            Question { cluster: &cluster, state: &state, id, group: None, options: &options }.fits()
        };
        for change in &found.changes {
            let with = |more: i64| match change {
                Change::Memory(size) => Some((*size < memory, Instance { memory: size + more, ..new.clone() })),
                Change::Vcpus(count) => Some((*count < vcpus, Instance { vcpus: count + more, ..new.clone() })),
                Change::LargestDisk(size) => Some((*size < disk, instance(memory, size + more, vcpus, template))),
                _ => None,
            };
            if let Some((smaller, changed)) = with(0) {
                prop_assert!(fits(changed), "{change:?}");
                // What is below the policy's smallest size grows to just that; what is too large shrinks no more than it must.
                let next = with(if smaller { 1 } else { -1 }).map(|(_, next)| next);
                prop_assert!(next.is_some_and(|next| !fits(next)), "{change:?} is not the smallest");
            }
        }
    }
}
