//! What is wrong with an instance. Pure.

use gannet_core::config::{AdminState, Disk, Instance};
use gannet_core::opcode::VerifyCode;
use gannet_core::param::ipolicy;
use gannet_proto::node::{DiskState, InstanceInfo, InstanceState};

use super::gather::Seen;
use crate::opcode::cluster::verify_report::Finding;
use crate::rule::spec;

/// All findings about one instance.
pub(super) fn findings(seen: &Seen, instance: &Instance) -> Vec<Finding> {
    let name = instance.name.as_str();
    let error = |code, text: String| Finding::error(code, name, text);
    let mut found = policy(seen, instance);
    let Some(primary) = seen.nodes.iter().find(|node| node.node.uuid == instance.primary_node) else {
        found.push(error(VerifyCode::InstanceBadNode, format!("instance lives on ghost node {}", instance.primary_node)));
        return found;
    };
    let node = &primary.node;
    if !node.vm_capable {
        found.push(error(VerifyCode::InstanceBadNode, format!("instance lives on non-vm_capable node {}", node.name)));
    }
    if node.offline && instance.admin_state == AdminState::Up {
        found.push(error(VerifyCode::InstanceBadNode, format!("instance is marked as running and lives on offline node {}", node.name)));
    }
    if seen.busy.contains(name) {
        return found;
    }
    if let Some(reply) = primary.answer() {
        let info = reply.instances.iter().find(|info| info.name == name);
        if instance.admin_state == AdminState::Up && !is_up(seen, info) {
            found.push(error(VerifyCode::InstanceDown, format!("instance not running on its primary node {}", node.name)));
        }
        found.extend(disks(seen, instance, node.name.as_str(), &reply.disks));
    }
    found.extend(elsewhere(seen, instance));
    found
}

/// A guest that was stopped from inside is as its user wants it, where that counts.
fn is_up(seen: &Seen, info: Option<&InstanceInfo>) -> bool {
    match info.map(InstanceInfo::state) {
        Some(InstanceState::Running | InstanceState::Paused | InstanceState::ShuttingDown) => true,
        Some(InstanceState::UserDown) => seen.config.cluster().enabled_user_shutdown,
        _ => false,
    }
}

fn elsewhere(seen: &Seen, instance: &Instance) -> Vec<Finding> {
    let others = seen.nodes.iter().filter(|node| node.node.uuid != instance.primary_node);
    let running = others.filter(|node| {
        let infos = node.answer().map(|reply| reply.instances.as_slice()).unwrap_or_default();
        infos
            .iter()
            .any(|info| info.name == instance.name.as_str() && !matches!(info.state(), InstanceState::Stopped | InstanceState::UserDown))
    });
    running
        .map(|node| {
            let text = format!("instance should not run on node {}", node.node.name);
            Finding::error(VerifyCode::InstanceWrongNode, instance.name.as_str(), text)
        })
        .collect()
}

fn disks(seen: &Seen, instance: &Instance, node: &str, states: &[DiskState]) -> Vec<Finding> {
    let mut found = Vec::new();
    let error = |code, text: String| Finding::error(code, instance.name.as_str(), text);
    for (index, disk) in seen.config.disks_of(instance).enumerate() {
        let volume = disk.logical_id.path().unwrap_or(&disk.iv_name);
        match states.iter().find(|state| state.uuid == disk.uuid.as_str()) {
            None => found.push(error(
                VerifyCode::InstanceFaultyDisk,
                format!("couldn't retrieve status for disk/{index} on {node}: no answer about it"),
            )),
            Some(state) if !state.exists => {
                found.push(error(VerifyCode::InstanceMissingDisk, format!("volume {volume} missing on node {node}")))
            }
            Some(state) if !state.error.is_empty() => {
                found.push(error(
                    VerifyCode::InstanceFaultyDisk,
                    format!("couldn't retrieve status for disk/{index} on {node}: {}", state.error),
                ));
            }
            Some(state) => {
                found.extend(size(disk, state).map(|text| Finding::warning(VerifyCode::InstanceFaultyDisk, instance.name.as_str(), text)))
            }
        }
    }
    found
}

fn size(disk: &Disk, state: &DiskState) -> Option<String> {
    (state.size_mib > 0 && state.size_mib < disk.size.0).then(|| {
        format!(
            "{} has {} MiB, the configuration says {} MiB; `gnt-cluster repair-disk-sizes` corrects it",
            disk.iv_name, state.size_mib, disk.size.0
        )
    })
}

fn policy(seen: &Seen, instance: &Instance) -> Vec<Finding> {
    let Some(group) = spec::group_of(&seen.config, &instance.primary_node) else { return Vec::new() };
    let disks: Vec<Disk> = seen.config.disks_of(instance).map(|disk| Disk::clone(disk)).collect();
    let policy = spec::ipolicy(&seen.config, group);
    let violations = ipolicy::violations(&policy, &spec::policy_spec(&seen.config, instance, &disks));
    if violations.is_empty() {
        return Vec::new();
    }
    vec![Finding::warning(VerifyCode::InstancePolicy, instance.name.as_str(), violations.join(", "))]
}

#[cfg(test)]
mod tests {
    use super::super::gather::{answer, sample};
    use super::*;

    fn codes(seen: &Seen) -> Vec<VerifyCode> {
        seen.instances.iter().flat_map(|instance| findings(seen, instance)).map(|finding| finding.code).collect()
    }

    #[test]
    fn a_good_instance_has_no_findings() {
        assert_eq!(codes(&sample()), []);
    }

    #[test]
    fn each_problem_has_its_code() {
        let mut seen = sample();
        let info = answer(&mut seen, 1).instances.remove(0);
        answer(&mut seen, 2).instances.push(info);
        answer(&mut seen, 1).disks[0].exists = false;
        assert_eq!(codes(&seen), [VerifyCode::InstanceDown, VerifyCode::InstanceMissingDisk, VerifyCode::InstanceWrongNode]);
        seen.busy.insert("web1.example.com".to_owned());
        assert_eq!(codes(&seen), [], "a job is moving it");
    }

    #[test]
    fn a_guest_that_stopped_itself_is_down_unless_that_is_allowed() {
        let mut seen = sample();
        answer(&mut seen, 1).instances[0].state = InstanceState::UserDown.into();
        assert_eq!(codes(&seen), [VerifyCode::InstanceDown]);
        let mut cluster = gannet_core::config::Cluster::clone(seen.config.cluster());
        cluster.enabled_user_shutdown = true;
        seen.config.put(gannet_core::config::Object::Cluster(cluster.into()));
        assert_eq!(codes(&seen), []);
    }
}
