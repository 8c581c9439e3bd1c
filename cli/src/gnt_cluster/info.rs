//! `gnt-cluster info`

use gannet_core::auto_failover::{self, Setting};
use gannet_core::luxi::Method;
use gannet_core::query::format::python_str;
use gannet_core::tag::TagSet;
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};
use crate::yaml::Node;
use crate::{policy, roman, time};

/// Label and key of what is shown under "Cluster parameters", in Ganeti's order.
const PARAMETERS: [(&str, &str); 30] = [
    ("candidate pool size", "candidate_pool_size"),
    ("maximal number of jobs running simultaneously", "max_running_jobs"),
    ("maximal number of jobs simultaneously tracked by the scheduler", "max_tracked_jobs"),
    ("mac prefix", "mac_prefix"),
    ("master netdev", "master_netdev"),
    ("master netmask", "master_netmask"),
    ("use external master IP address setup script", "use_external_mip_script"),
    ("lvm volume group", "volume_group_name"),
    ("lvm reserved volumes", "reserved_lvs"),
    ("drbd usermode helper", "drbd_usermode_helper"),
    ("file storage path", "file_storage_dir"),
    ("shared file storage path", "shared_file_storage_dir"),
    ("gluster storage path", "gluster_storage_dir"),
    ("maintenance of node health", "maintain_node_health"),
    ("uid pool", "uid_pool"),
    ("default instance allocator", "default_iallocator"),
    ("default instance allocator parameters", "default_iallocator_params"),
    ("primary ip version", "primary_ip_version"),
    ("preallocation wipe disks", "prealloc_wipe_disks"),
    ("OS search path", ""),
    ("enabled disk templates", "enabled_disk_templates"),
    ("install image", "install_image"),
    ("instance communication network", "instance_communication_network"),
    ("zeroing image", "zeroing_image"),
    ("compression tools", "compression_tools"),
    ("enabled user shutdown", "enabled_user_shutdown"),
    ("modify ssh setup", "modify_ssh_setup"),
    ("ssh_key_type", "ssh_key_type"),
    ("ssh_key_bits", "ssh_key_bits"),
    ("enabled data collectors", "enabled_data_collectors"),
];

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let info = context.call(Method::QueryClusterInfo, &json!([]))?;
    let is_roman = context.args.flag("roman");
    let search: Vec<String> = context.env.paths().os_search_path().iter().map(|path| path.display().to_string()).collect();
    let mut tree = entries(&info, is_roman, &search.join(", "));
    tree.push(("State group".to_owned(), state_group(context)?));
    let tree = Node::Map(tree);
    context.io.raw(tree.render().as_bytes());
    Ok(SUCCESS)
}

fn entries(info: &Value, is_roman: bool, search: &str) -> Vec<(String, Node)> {
    let plain = |key: &str| Node::json(&info[key]);
    let date = |key: &str| Node::text(info[key].as_f64().map_or_else(|| "N/A".into(), time::date_time));
    let architecture: Vec<String> = info["architecture"].as_array().into_iter().flatten().map(python_str).collect();
    let architecture = match architecture.as_slice() {
        [bits, machine] => format!("{bits} ({machine})"),
        other => other.join(" "),
    };
    let hypervisors = list(&info["enabled_hypervisors"]);
    let parameter = |(label, key): (&str, &str)| {
        let node = match key {
            "" => Node::text(search),
            "reserved_lvs" => Node::text(list_or_none(&info[key])),
            "uid_pool" => Node::text(uids(&info[key])),
            "enabled_disk_templates" => Node::text(list(&info[key])),
            "candidate_pool_size" | "max_running_jobs" | "max_tracked_jobs" if is_roman => Node::text(roman::numeral(&info[key])),
            key => plain(key),
        };
        (label.to_owned(), node)
    };
    let mut parameters = PARAMETERS.map(parameter).to_vec();
    parameters.extend(auto_failover(&info["tags"]).map(|text| ("automatic failover".to_owned(), Node::text(text))));
    [
        ("Cluster name", plain("name")),
        ("Cluster UUID", plain("uuid")),
        ("Creation time", date("ctime")),
        ("Modification time", date("mtime")),
        ("Master node", plain("master")),
        ("Architecture (this node)", Node::text(architecture)),
        ("Tags", Node::text(list_or_none(&info["tags"]))),
        ("Default hypervisor", plain("default_hypervisor")),
        ("Enabled hypervisors", Node::text(hypervisors)),
        ("Hypervisor parameters", plain("hvparams")),
        ("OS-specific hypervisor parameters", plain("os_hvp")),
        ("OS parameters", plain("osparams")),
        ("Hidden OSes", Node::text(list(&info["hidden_os"]))),
        ("Blacklisted OSes", Node::text(list(&info["blacklisted_os"]))),
        ("Cluster parameters", Node::Map(parameters)),
        ("Default node parameters", plain("ndparams")),
        ("Default instance parameters", plain("beparams")),
        ("Default nic parameters", plain("nicparams")),
        ("Default disk parameters", plain("diskparams")),
        ("Instance policy - limits for instances", policy::node(None, &info["ipolicy"], true)),
    ]
    .map(|(label, node)| (label.to_owned(), node))
    .to_vec()
}

/// Who keeps the state. All else is shown also when the state store does not tell.
fn state_group(context: &mut Context<'_>) -> Result<Node, Failure> {
    let status = match context.call(Method::StoreStatus, &json!([])) {
        Ok(status) => status,
        Err(Failure::Remote(error)) => return Ok(Node::text(format!("not known: {error}"))),
        Err(other) => return Err(other),
    };
    let behind = |member: &Value| match (member["lag"].as_u64(), member["term"].as_u64()) {
        (Some(lag), Some(term)) => format!(", term {term}, {lag} entries behind"),
        _ => String::new(),
    };
    let member = |member: &Value| (python_str(&member["name"]), Node::text(python_str(&member["role"]) + &behind(member)));
    let members = status["members"].as_array().into_iter().flatten().map(member).collect();
    Ok(Node::Map(vec![("term".to_owned(), Node::json(&status["term"])), ("members".to_owned(), Node::Map(members))]))
}

/// What the cluster's tags say about automatic failover; `None` when they say nothing, as in a cluster of Ganeti.
fn auto_failover(tags: &Value) -> Option<String> {
    let tags: TagSet = tags.as_array().into_iter().flatten().filter_map(|tag| tag.as_str()?.parse().ok()).collect();
    let settings: Vec<Setting> = tags.iter().filter_map(|tag| auto_failover::parse(tag.as_str())?.ok()).collect();
    let switch = settings.iter().find_map(|setting| if let Setting::On(on) = setting { Some(*on) } else { None });
    let times = auto_failover::times(&tags);
    let switch = match switch {
        Some(true) => "on for all instances that can be failed over",
        _ if settings.is_empty() => return None,
        _ => "on only where a node group or an instance says so",
    };
    Some(format!("{switch}; a node is dead after {} s, leases last {} s", times.dead_after.as_secs(), times.lease.as_secs()))
}

fn list(value: &Value) -> String {
    value.as_array().into_iter().flatten().map(python_str).collect::<Vec<_>>().join(", ")
}

fn list_or_none(value: &Value) -> String {
    Some(list(value)).filter(|text| !text.is_empty()).unwrap_or_else(|| "(none)".into())
}

/// `1000-1010, 2000`
fn uids(value: &Value) -> String {
    let range = |range: &Value| match (range[0].as_i64(), range[1].as_i64()) {
        (Some(low), Some(high)) if low == high => low.to_string(),
        (Some(low), Some(high)) => format!("{low}-{high}"),
        _ => python_str(range),
    };
    value.as_array().into_iter().flatten().map(range).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn automatic_failover_is_shown_where_it_is_set() {
        assert_eq!(auto_failover(&json!(["web"])), None);
        let on = auto_failover(&json!(["gannet:auto-failover:yes", "gannet:auto-failover:lease:60"]));
        assert_eq!(on.as_deref(), Some("on for all instances that can be failed over; a node is dead after 30 s, leases last 60 s"));
        assert!(auto_failover(&json!(["gannet:auto-failover:no"])).is_some_and(|text| text.starts_with("on only where")));
    }
}
