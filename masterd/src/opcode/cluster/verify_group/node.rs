//! What is wrong with a node. Pure.

use std::collections::BTreeMap;

use gannet_core::opcode::VerifyCode;
use gannet_proto::node::{InstanceState, OsDefinition, VerifyReply};

use super::gather::{Seen, SeenNode};
use crate::opcode::cluster::verify_report::Finding;

/// Clocks may differ by this much (Ganeti: NODE_MAX_CLOCK_SKEW), in seconds.
const MAX_SKEW_S: f64 = 150.0;

/// All findings about one node but those that need other nodes.
pub(super) fn findings(seen: &Seen, node: &SeenNode) -> Vec<Finding> {
    let name = node.node.name.as_str();
    let error = |code, text: String| Finding::error(code, name, text);
    let reply = match &node.reply {
        None => return Vec::new(),
        Some(Err(text)) => return vec![error(VerifyCode::NodeRpc, format!("while contacting node: {text}"))],
        Some(Ok(reply)) => reply,
    };
    let mut found = Vec::new();
    let own = env!("CARGO_PKG_VERSION");
    if reply.version != own {
        found.push(Finding::warning(
            VerifyCode::NodeVersion,
            name,
            format!("software version mismatch: master {own}, node {}", reply.version),
        ));
    }
    found.extend(skew(node, reply).map(|text| error(VerifyCode::NodeTime, text)));
    let problems: BTreeMap<_, _> = reply.hypervisor_problems.iter().collect();
    found.extend(problems.iter().map(|(hv, text)| error(VerifyCode::NodeHv, format!("hypervisor {hv} verify failure: '{text}'"))));
    let unreachable: BTreeMap<_, _> = reply.unreachable_peers.iter().collect();
    found
        .extend(unreachable.iter().map(|(peer, text)| error(VerifyCode::NodeNet, format!("tcp communication with node '{peer}': {text}"))));
    if !reply.missing_bridges.is_empty() {
        found.push(error(VerifyCode::NodeNet, format!("missing bridges: {}", reply.missing_bridges.join(", "))));
    }
    let is_master = node.node.uuid == seen.config.cluster().master_node;
    if is_master && !reply.master_ip_here {
        found.push(error(VerifyCode::NodeNet, "the master node cannot reach the master IP (not configured?)".to_owned()));
    }
    // On the loopback device every node of a test cluster has every address.
    let is_loopback = seen.config.cluster().master_ip.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    if !is_master && reply.master_ip_here && !is_loopback {
        found.push(error(VerifyCode::NodeNet, "the node has the master IP although it is not the master".to_owned()));
    }
    if !reply.missing_user_scripts.is_empty() {
        let text = format!("user scripts not present or not executable: {}", reply.missing_user_scripts.join(", "));
        found.push(error(VerifyCode::NodeUserScripts, text));
    }
    found.extend(storage(seen, name, reply));
    found.extend(reply.warnings.iter().map(|text| Finding::warning(VerifyCode::NodeFileStoragePaths, name, text.clone())));
    found.extend(unknown_instances(seen, name, reply));
    found
}

/// How far the node's clock is from the master's: outside of the time in which the answer was made, with some room.
fn skew(node: &SeenNode, reply: &VerifyReply) -> Option<String> {
    let (start, end) = (node.asked.0.as_secs_f64(), node.asked.1.as_secs_f64());
    let difference = if reply.time < start - MAX_SKEW_S {
        start - reply.time
    } else if reply.time > end + MAX_SKEW_S {
        reply.time - end
    } else {
        return None;
    };
    Some(format!("Node time diverges by at least {difference:.1}s from master node time"))
}

fn storage(seen: &Seen, name: &str, reply: &VerifyReply) -> Vec<Finding> {
    let problems: BTreeMap<_, _> = reply.file_storage_problems.iter().collect();
    let shared = &seen.config.cluster().shared_file_storage_dir;
    let finding = |(dir, text): (&&String, &&String)| {
        let (code, what) = if *dir == shared {
            (VerifyCode::NodeSharedFileStoragePathUnusable, "shared file storage")
        } else {
            (VerifyCode::NodeFileStoragePathUnusable, "file storage")
        };
        Finding::error(code, name, format!("The configured {what} path {dir} is unusable: {text}"))
    };
    problems.iter().map(finding).collect()
}

fn unknown_instances(seen: &Seen, name: &str, reply: &VerifyReply) -> Vec<Finding> {
    let unknown = reply.instances.iter().filter(|info| {
        let is_there = info.state() != InstanceState::Stopped && info.state() != InstanceState::UserDown;
        is_there && !seen.known.contains(&info.name) && !seen.busy.contains(&info.name)
    });
    unknown
        .map(|info| Finding::error(VerifyCode::NodeOrphanInstance, name, format!("node is running unknown instance {}", info.name)))
        .collect()
}

/// OS definitions: each must be valid, and the same on all nodes as on the first.
pub(super) fn os(seen: &Seen) -> Vec<Finding> {
    let mut nodes = seen.nodes.iter().filter(|node| node.node.vm_capable);
    let answering = nodes.by_ref().filter_map(|node| Some((node.node.name.as_str(), node.answer()?.os.as_ref()?)));
    let lists: Vec<(&str, BTreeMap<&str, &OsDefinition>)> = answering
        // The first in the search path is the one that counts.
        .map(|(node, os)| (node, os.definitions.iter().rev().map(|definition| (definition.name.as_str(), definition)).collect()))
        .collect();
    let Some((reference, known)) = lists.first() else { return Vec::new() };
    let mut found = Vec::new();
    for (node, own) in &lists {
        let error = |text: String| Finding::error(VerifyCode::NodeOs, *node, text);
        for (name, definition) in own {
            if !definition.valid {
                found.push(error(format!("Invalid OS {name} located at {}: {}", definition.path, definition.problem)));
            }
            match known.get(name) {
                None => found.push(error(format!("Extra OS {name} not present on reference node {reference} ({})", definition.path))),
                Some(first) => found.extend(
                    difference(first, definition)
                        .map(|what| error(format!("OS {what} for {name} differs from reference node {reference}"))),
                ),
            }
        }
        let missing: Vec<&str> = known.keys().filter(|name| !own.contains_key(*name)).copied().collect();
        if !missing.is_empty() {
            found.push(error(format!("OSes present on reference node {reference} but missing on this node: {}", missing.join(", "))));
        }
    }
    found
}

fn difference(first: &OsDefinition, other: &OsDefinition) -> Option<&'static str> {
    if first.api_versions != other.api_versions {
        Some("API version")
    } else if first.variants != other.variants {
        Some("variants list")
    } else if first.parameters != other.parameters {
        Some("parameters")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use gannet_proto::node::{InstanceInfo, OsDiagnoseReply};

    use super::super::gather::{answer, sample};
    use super::*;

    fn codes(seen: &Seen) -> Vec<VerifyCode> {
        seen.nodes.iter().flat_map(|node| findings(seen, node)).chain(os(seen)).map(|finding| finding.code).collect()
    }

    #[test]
    fn a_good_group_has_no_findings() {
        assert_eq!(codes(&sample()), []);
    }

    #[test]
    fn each_problem_has_its_code() {
        let mut seen = sample();
        answer(&mut seen, 2).time += 1000.0;
        answer(&mut seen, 2).missing_bridges.push("br0".to_owned());
        answer(&mut seen, 3).master_ip_here = true;
        answer(&mut seen, 3).file_storage_problems.insert("/srv/ganeti/shared-file-storage".to_owned(), "gone".to_owned());
        let stray = InstanceInfo { name: "stray".to_owned(), state: InstanceState::Running.into(), ..InstanceInfo::default() };
        answer(&mut seen, 3).instances.push(stray);
        seen.nodes[0].reply = Some(Err("dead".to_owned()));
        let wanted = [
            VerifyCode::NodeRpc,
            VerifyCode::NodeTime,
            VerifyCode::NodeNet,
            VerifyCode::NodeNet,
            VerifyCode::NodeSharedFileStoragePathUnusable,
            VerifyCode::NodeOrphanInstance,
        ];
        assert_eq!(codes(&seen), wanted);
        seen.busy.insert("stray".to_owned());
        assert!(!codes(&seen).contains(&VerifyCode::NodeOrphanInstance), "a job is making it");
    }

    #[test]
    fn oses_are_compared_with_the_first_node() {
        let mut seen = sample();
        let os = |name: &str, variants: &[&str]| OsDefinition {
            name: name.to_owned(),
            valid: true,
            variants: variants.iter().map(ToString::to_string).collect(),
            ..OsDefinition::default()
        };
        answer(&mut seen, 1).os = Some(OsDiagnoseReply { definitions: vec![os("debian", &["a"])] });
        answer(&mut seen, 2).os = Some(OsDiagnoseReply { definitions: vec![os("debian", &["b"])] });
        answer(&mut seen, 3).os = Some(OsDiagnoseReply { definitions: vec![os("other", &[])] });
        let texts: Vec<String> = super::os(&seen).into_iter().map(|finding| finding.text).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].contains("variants list for debian"));
    }
}
