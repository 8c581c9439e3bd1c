//! A cluster in the text format, for `-S` and hscan.

use crate::cluster::Cluster;
use crate::group::Group;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::instance::Instance;
use crate::policy::{Policy, Spec};
use crate::show::number::{fixed, plain, shortest};
use crate::state::State;

/// The whole cluster, with instances where `state` has them.
///
/// Free memory is written such that a cluster which is read again has the same missing memory, and so the same score; the
/// reference writes what was reported before its moves, and finds memory missing afterwards.
#[must_use]
pub fn text(cluster: &Cluster, state: &State) -> String {
    let lines = |lines: Vec<String>| lines.into_iter().map(|line| line + "\n").collect::<String>();
    let sections = [
        lines(cluster.groups.iter().map(group).collect()),
        lines(cluster.node_ids().map(|id| node(cluster, state, id)).collect()),
        lines(cluster.instance_ids().map(|id| instance(cluster, state, id)).collect()),
        lines(cluster.tags.clone()),
        lines(
            std::iter::once(policy("", &cluster.policy))
                .chain(cluster.groups.iter().map(|group| policy(&group.name, &group.policy)))
                .collect(),
        ),
    ];
    sections.join("\n")
}

fn group(group: &Group) -> String {
    let (tags, networks) = (group.tags.join(","), group.networks.join(","));
    format!("{}|{}|{}|{tags}|{networks}", group.name, group.uuid, group.alloc_policy)
}

fn node(cluster: &Cluster, state: &State, id: NodeId) -> String {
    let (node, usage) = (cluster.node(id), state.usage(id));
    let group: &Group = cluster.group(GroupId::new(node.group.at()));
    // What there is: whoever reads the file applies the tags with ratios again.
    let total = node.total_memory - crate::state::real(node.overcommitted);
    let recorded = crate::node::truncated(total) - node.node_memory - usage.instance_memory;
    let kind = match (node.offline, node.master) {
        (true, _) => "Y",
        (false, true) => "M",
        (false, false) => "N",
    };
    [
        node.name.clone(),
        fixed(total, 0),
        node.node_memory.to_string(),
        (recorded - node.missing_memory).to_string(),
        fixed(node.total_disk, 0),
        usage.free_disk.to_string(),
        fixed(node.cpus, 0),
        kind.to_owned(),
        group.uuid.clone(),
        node.spindles.to_string(),
        node.tags.join(","),
        if node.exclusive_storage { "Y" } else { "N" }.to_owned(),
        usage.free_spindles.to_string(),
        node.node_cpus.to_string(),
        plain(node.cpu_speed),
    ]
    .join("|")
}

fn instance(cluster: &Cluster, state: &State, id: InstanceId) -> String {
    let instance: &Instance = cluster.instance(id);
    let yes = |truth: bool| if truth { "Y" } else { "N" }.to_owned();
    [
        instance.name.clone(),
        instance.memory.to_string(),
        instance.disk.to_string(),
        instance.vcpus.to_string(),
        instance.status.as_str().to_owned(),
        yes(instance.auto_balance),
        cluster.node(state.primary[id.at()]).name.clone(),
        state.secondary[id.at()].map_or_else(String::new, |node| cluster.node(node).name.clone()),
        instance.template.to_string(),
        instance.tags.join(","),
        instance.spindle_use.to_string(),
        instance.total_spindles().map_or_else(|| "-".to_owned(), |spindles| spindles.to_string()),
        yes(instance.forthcoming),
    ]
    .join("|")
}

fn policy(owner: &str, policy: &Policy) -> String {
    let ranges: Vec<String> = policy.ranges.iter().flat_map(|range| [spec(&range.min), spec(&range.max)]).collect();
    let templates: Vec<String> = policy.templates.iter().map(ToString::to_string).collect();
    [
        owner.to_owned(),
        spec(&policy.standard),
        ranges.join(";"),
        templates.join(","),
        shortest(policy.vcpu_ratio),
        shortest(policy.spindle_ratio),
    ]
    .join("|")
}

fn spec(spec: &Spec) -> String {
    [spec.memory, spec.cpus, spec.disk, spec.disks, spec.nics, spec.spindles].map(|number| number.to_string()).join(",")
}
