//! The node list, with the fields that were asked for.

use super::number::{fixed, shortest};
use super::table::table;
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::state::State;

/// Fields that are shown when none are asked for.
pub const DEFAULT_FIELDS: [&str; 22] = [
    "status", "name", "tmem", "nmem", "imem", "xmem", "fmem", "umem", "rmem", "tdsk", "fdsk", "tcpu", "ucpu", "pcnt", "scnt", "pfmem",
    "pfdsk", "rcpu", "cload", "mload", "dload", "nload",
];

/// Names of fields, their titles, and whether they are numbers.
const FIELDS: [(&str, &str, bool); 32] = [
    ("idx", "Index", true),
    ("name", "Name", false),
    ("fqdn", "Name", false),
    ("status", "F", false),
    ("tmem", "t_mem", true),
    ("nmem", "n_mem", true),
    ("xmem", "x_mem", true),
    ("fmem", "f_mem", true),
    ("umem", "u_mem", true),
    ("amem", "a_mem", true),
    ("imem", "i_mem", true),
    ("rmem", "r_mem", true),
    ("tdsk", "t_dsk", true),
    ("fdsk", "f_dsk", true),
    ("tcpu", "pcpu", true),
    ("ucpu", "vcpu", true),
    ("pcnt", "pcnt", true),
    ("scnt", "scnt", true),
    ("plist", "primaries", true),
    ("slist", "secondaries", true),
    ("pfmem", "p_fmem", true),
    ("pfdsk", "p_fdsk", true),
    ("rcpu", "r_cpu", true),
    ("cload", "lCpu", true),
    ("mload", "lMem", true),
    ("dload", "lDsk", true),
    ("nload", "lNet", true),
    ("ptags", "PrimaryTags", false),
    ("peermap", "PeerMap", false),
    ("spindle_count", "NodeSpindles", true),
    ("hi_spindles", "MaxSpindles", true),
    ("inst_spindles", "InstSpindles", true),
];

/// What stands for a field that does not exist.
const UNKNOWN: &str = "<unknown field>";

/// The nodes `ids` with the fields `asked`: none are the default ones, a leading `+` adds to these.
#[must_use]
pub fn list(cluster: &Cluster, state: &State, ids: &[NodeId], asked: &[String]) -> String {
    let fields: Vec<&str> = match asked.split_first() {
        None => DEFAULT_FIELDS.to_vec(),
        Some((first, rest)) if first == "+" => DEFAULT_FIELDS.into_iter().chain(rest.iter().map(String::as_str)).collect(),
        Some(_) => asked.iter().map(String::as_str).collect(),
    };
    let known =
        |field: &&str| FIELDS.iter().find(|(name, ..)| name == field).map_or((UNKNOWN, false), |(_, title, right)| (*title, *right));
    let (titles, right): (Vec<&str>, Vec<bool>) = fields.iter().map(known).unzip();
    let rows: Vec<Vec<String>> = ids.iter().map(|id| fields.iter().map(|field| cell(cluster, state, *id, field)).collect()).collect();
    table("", &super::table::header(&titles), &rows, &right)
}

fn cell(cluster: &Cluster, state: &State, id: NodeId, field: &str) -> String {
    let (node, usage) = (cluster.node(id), state.usage(id));
    match field {
        "idx" => format!("{:4}", id.at() + cluster.first_index),
        "name" => node.alias.clone(),
        "fqdn" => node.name.clone(),
        "status" if node.offline => "-".to_owned(),
        "status" => if usage.fails_n1 { "*" } else { " " }.to_owned(),
        "tmem" => format!("{:>5}", fixed(node.total_memory, 0)),
        "nmem" => format!("{:5}", node.node_memory),
        "xmem" => format!("{:5}", node.missing_memory),
        "fmem" => format!("{:5}", node.free_memory),
        "umem" => format!("{:5}", usage.unallocated(node)),
        "imem" => format!("{:5}", usage.instance_memory),
        "rmem" => format!("{:5}", usage.reserved_memory),
        "amem" => format!("{:5}", usage.available_memory(node)),
        "tdsk" => format!("{:>5}", fixed(node.total_disk / 1024.0, 0)),
        "fdsk" => format!("{:5}", usage.free_disk.div_euclid(1024)),
        "tcpu" => format!("{:>4}", fixed(node.cpus, 0)),
        "ucpu" => format!("{:4}", usage.vcpus),
        "pcnt" => format!("{:3}", usage.primaries),
        "scnt" => format!("{:3}", usage.secondaries),
        "plist" => indices(&state.primaries[id.at()]),
        "slist" => indices(&state.secondaries[id.at()]),
        "pfmem" => format!("{:>6}", fixed(usage.free_memory_ratio(node), 4)),
        "pfdsk" => format!("{:>6}", fixed(usage.free_disk_ratio(node), 4)),
        "rcpu" => format!("{:>5}", fixed(usage.vcpu_ratio(node), 2)),
        "cload" => load(usage.load[0]),
        "mload" => load(usage.load[1]),
        "dload" => load(usage.load[2]),
        "nload" => load(usage.load[3]),
        "ptags" => tags(cluster, state, id),
        "peermap" => peers(cluster, state, id),
        "spindle_count" => node.spindles.to_string(),
        "hi_spindles" => shortest(node.spindle_limit()),
        "inst_spindles" => shortest(usage.spindle_use),
        _ => UNKNOWN.to_owned(),
    }
}

fn load(load: f64) -> String {
    format!("{:>5}", fixed(load, 3))
}

fn indices(ids: &[InstanceId]) -> String {
    let numbers: Vec<String> = ids.iter().map(|id| id.at().to_string()).collect();
    format!("[{}]", numbers.join(","))
}

fn tags(cluster: &Cluster, state: &State, id: NodeId) -> String {
    let mut shown: Vec<(&str, u32)> = state.exclusion[id.at()].iter().map(|(tag, count)| (cluster.words.name(tag), count)).collect();
    shown.sort_unstable();
    let shown: Vec<String> = shown.into_iter().map(|(tag, count)| format!("{tag}={count}")).collect();
    shown.join(",")
}

fn peers(cluster: &Cluster, state: &State, id: NodeId) -> String {
    let pair = |(peer, memory): (NodeId, i64)| format!("({},{memory})", peer.at() + cluster.first_index);
    let pairs: Vec<String> = state.peers[id.at()].iter().map(pair).collect();
    format!("[{}]", pairs.join(","))
}
