//! The text format (`parity/htools.json`, `text_format`).

use std::fmt::Write as _;

use super::model::{Cluster, Instance, Node, Policy, Spec};

/// The cluster as the file that the option `-t` reads.
#[must_use]
pub fn write(cluster: &Cluster) -> String {
    let mut out = String::new();
    for group in &cluster.groups {
        let _ = writeln!(out, "{}|{}|{}||", group.name, group.uuid(), group.alloc_policy);
    }
    out.push('\n');
    for node in &cluster.nodes {
        line(&mut out, &self::node(cluster, node));
    }
    out.push('\n');
    for instance in &cluster.instances {
        line(&mut out, &self::instance(cluster, instance));
    }
    out.push('\n');
    for tag in &cluster.tags {
        line(&mut out, tag);
    }
    out.push('\n');
    for policy in &cluster.policies {
        line(&mut out, &self::policy(cluster, policy));
    }
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn flag(value: bool) -> &'static str {
    if value { "Y" } else { "N" }
}

fn node(cluster: &Cluster, node: &Node) -> String {
    format!(
        "{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{:.2}",
        node.name,
        node.memory,
        node.own_memory,
        node.free_memory,
        node.disk,
        node.free_disk,
        node.cpus,
        node.state,
        cluster.groups[node.group].uuid(),
        node.spindles,
        node.tags.join(","),
        flag(node.exclusive_storage),
        node.free_spindles,
        node.own_cpus,
        node.cpu_speed,
    )
}

fn instance(cluster: &Cluster, instance: &Instance) -> String {
    format!(
        "{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}",
        instance.name,
        instance.memory,
        instance.disk,
        instance.vcpus,
        instance.status,
        flag(instance.auto_balance),
        cluster.nodes[instance.primary].name,
        instance.secondary.map_or("", |node| cluster.nodes[node].name.as_str()),
        instance.template,
        instance.tags.join(","),
        instance.spindle_use,
        instance.spindles.map_or_else(|| "-".to_owned(), |count| count.to_string()),
        flag(instance.forthcoming),
    )
}

fn policy(cluster: &Cluster, policy: &Policy) -> String {
    let spec = |spec: &Spec| spec.map(|value| value.to_string()).join(",");
    let ranges: Vec<String> = policy.ranges.iter().map(|(min, max)| format!("{};{}", spec(min), spec(max))).collect();
    format!(
        "{}|{}|{}|{}|{:.1}|{:.1}",
        policy.group.map_or("", |group| cluster.groups[group].name.as_str()),
        spec(&policy.standard),
        ranges.join(";"),
        policy.templates.join(","),
        policy.vcpu_ratio,
        policy.spindle_ratio,
    )
}
