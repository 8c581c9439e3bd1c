//! The ssconf values: what hooks and daemons may read of the cluster without asking the master (`parity/params.json`:
//! ssconf). Pure.

use std::collections::BTreeMap;

use gannet_core::config::{Config, Node, ParamMap};
use gannet_core::param::{HypervisorKind, fill};
use serde_json::Value;

/// Key without `ssconf_` → content, each line with its newline.
#[must_use]
pub fn values(config: &Config) -> BTreeMap<String, String> {
    let cluster = config.cluster();
    let mut nodes: Vec<&Node> = config.nodes().map(AsRef::as_ref).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let of =
        |keep: &dyn Fn(&Node) -> bool, show: &dyn Fn(&Node) -> String| lines(nodes.iter().filter(|node| keep(node)).map(|node| show(node)));
    let all = |_: &Node| true;
    let name = |node: &Node| node.name.to_string();
    let candidate = |node: &Node| node.master_candidate;
    let mut groups: Vec<String> = config.groups().map(|group| format!("{} {}", group.uuid, group.name)).collect();
    groups.sort();
    let mut networks: Vec<String> = config.networks().map(|network| format!("{} {}", network.uuid, network.name)).collect();
    networks.sort();
    let mut values = BTreeMap::from([
        ("cluster_name", line(&cluster.cluster_name)),
        ("cluster_tags", lines(cluster.tags.iter().map(ToString::to_string))),
        ("file_storage_dir", line(&cluster.file_storage_dir)),
        ("shared_file_storage_dir", line(&cluster.shared_file_storage_dir)),
        ("gluster_storage_dir", line(&cluster.gluster_storage_dir)),
        ("master_candidates", of(&candidate, &name)),
        ("master_candidates_ips", of(&candidate, &|node| node.primary_ip.clone())),
        ("master_candidates_certs", lines(cluster.candidate_certs.iter().map(|(uuid, digest)| format!("{uuid}={digest}")))),
        ("master_ip", line(&cluster.master_ip)),
        ("master_netdev", line(&cluster.master_netdev)),
        ("master_netmask", line(&cluster.master_netmask.to_string())),
        ("master_node", line(&config.master().map(|node| node.name.to_string()).unwrap_or_default())),
        ("node_list", of(&all, &name)),
        ("node_primary_ips", of(&all, &|node| format!("{} {}", node.name, node.primary_ip))),
        ("node_secondary_ips", of(&all, &|node| format!("{} {}", node.name, node.secondary_ip))),
        ("node_vm_capable", of(&all, &|node| format!("{}={}", node.name, truth(node.vm_capable)))),
        ("offline_nodes", of(&|node| node.offline, &name)),
        ("online_nodes", of(&|node| !node.offline, &name)),
        ("primary_ip_family", line(&cluster.primary_ip_family.to_string())),
        ("instance_list", lines(config.instances().map(|instance| instance.name.to_string()))),
        ("release_version", line(env!("CARGO_PKG_VERSION"))),
        ("hypervisor_list", lines(cluster.enabled_hypervisors.iter().cloned())),
        ("maintain_node_health", line(truth(cluster.maintain_node_health))),
        ("uid_pool", lines(cluster.uid_pool.iter().map(|(low, high)| if low == high { low.to_string() } else { format!("{low}-{high}") }))),
        ("nodegroups", lines(groups)),
        ("networks", lines(networks)),
        ("enabled_user_shutdown", line(truth(cluster.enabled_user_shutdown))),
        ("ssh_ports", of(&all, &|node| format!("{}={}", node.name, ssh_port(config, node)))),
    ])
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect::<BTreeMap<_, _>>();
    for kind in HypervisorKind::ALL {
        let params = cluster.hvparams.get(kind.as_str()).map(hvparams).unwrap_or_default();
        values.insert(format!("hvparams_{kind}"), params);
    }
    values
}

fn hvparams(params: &ParamMap) -> String {
    lines(params.iter().map(|(name, value)| match value {
        Value::Bool(value) => format!("{name}={}", truth(*value)),
        Value::String(text) => format!("{name}={text}"),
        Value::Null => format!("{name}="),
        other => format!("{name}={other}"),
    }))
}

fn ssh_port(config: &Config, node: &Node) -> u16 {
    let none = ParamMap::new();
    let group = config.group(&node.group).map_or(&none, |group| &group.ndparams);
    fill::nd(&config.cluster().ndparams, group, &node.ndparams).ssh_port()
}

/// As Python writes it.
fn truth(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn line(text: &str) -> String {
    format!("{text}\n")
}

fn lines(all: impl IntoIterator<Item = String>) -> String {
    all.into_iter().map(|text| text + "\n").collect()
}
