//! Whether an instance obeys a policy.

use std::collections::BTreeSet;

use super::{IPolicy, MinMax};
use crate::param::DiskTemplate;

/// What a policy looks at. `None` is not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InstanceSpec {
    /// Memory (`maxmem`), in MiB.
    pub memory_mib: Option<u64>,
    /// Virtual CPUs.
    pub vcpus: Option<u64>,
    /// Number of NICs.
    pub nic_count: Option<u64>,
    /// Spindles.
    pub spindle_use: Option<u64>,
    /// Template and size in MiB of each disk.
    pub disks: Vec<(DiskTemplate, u64)>,
}

/// What the instance violates; empty when it obeys. The wording is Ganeti's.
///
/// When the policy has several ranges, the one that is violated least is reported.
#[must_use]
pub fn violations(policy: &IPolicy, spec: &InstanceSpec) -> Vec<String> {
    let nearest = policy.minmax.iter().map(|range| out_of_range(range, spec)).min_by_key(Vec::len);
    forbidden_templates(policy, spec).into_iter().chain(nearest.unwrap_or_default()).collect()
}

fn forbidden_templates(policy: &IPolicy, spec: &InstanceSpec) -> Option<String> {
    let allowed: BTreeSet<&str> = policy.disk_templates.iter().map(|template| template.as_str()).collect();
    let list = |words: &BTreeSet<&str>| words.iter().copied().collect::<Vec<_>>().join(", ");
    if spec.disks.is_empty() {
        let diskless = DiskTemplate::Diskless.as_str();
        let forbidden = !allowed.contains(diskless);
        // The colon is missing here in Ganeti, too.
        return forbidden.then(|| format!("Disk template {diskless} is not allowed (allowed templates {})", list(&allowed)));
    }
    let used: BTreeSet<&str> = spec.disks.iter().map(|(template, _)| template.as_str()).collect();
    let forbidden: BTreeSet<&str> = used.difference(&allowed).copied().collect();
    let message = || format!("Disk template {} is not allowed (allowed templates: {})", list(&forbidden), list(&allowed));
    (!forbidden.is_empty()).then(message)
}

fn out_of_range(range: &MinMax, spec: &InstanceSpec) -> Vec<String> {
    let check = |name: &str, min: u64, max: u64, value: Option<u64>| {
        let value = value.filter(|value| !(min..=max).contains(value))?;
        Some(format!("{name} value {value} is not in range [{min}, {max}]"))
    };
    let (min, max) = (&range.min, &range.max);
    let disk_count = (!spec.disks.is_empty()).then_some(spec.disks.len() as u64);
    let mut found = vec![
        check("memory-size", min.memory_size, max.memory_size, spec.memory_mib),
        check("cpu-count", min.cpu_count, max.cpu_count, spec.vcpus),
        check("nic-count", min.nic_count, max.nic_count, spec.nic_count),
        check("spindle-use", min.spindle_use, max.spindle_use, spec.spindle_use),
    ];
    found.extend(
        spec.disks
            .iter()
            .enumerate()
            .map(|(index, (_, size))| check(&format!("disk-size/{index}"), min.disk_size, max.disk_size, Some(*size))),
    );
    found.push(check("disk-count", min.disk_count, max.disk_count, disk_count));
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::super::Spec;
    use super::*;

    fn good() -> InstanceSpec {
        InstanceSpec {
            memory_mib: Some(512),
            vcpus: Some(1),
            nic_count: Some(1),
            spindle_use: Some(1),
            disks: vec![(DiskTemplate::Plain, 2048)],
        }
    }

    #[track_caller]
    fn check(policy: &IPolicy, spec: InstanceSpec, expected: &[&str]) {
        assert_eq!(violations(policy, &spec), expected);
    }

    #[test]
    fn each_limit_is_named() {
        let policy = IPolicy { disk_templates: vec![DiskTemplate::Plain, DiskTemplate::Drbd], ..IPolicy::default() };
        check(&policy, good(), &[]);
        check(&policy, InstanceSpec { memory_mib: Some(64), ..good() }, &["memory-size value 64 is not in range [128, 32768]"]);
        check(&policy, InstanceSpec { vcpus: Some(9), ..good() }, &["cpu-count value 9 is not in range [1, 8]"]);
        check(&policy, InstanceSpec { nic_count: Some(0), ..good() }, &["nic-count value 0 is not in range [1, 8]"]);
        check(&policy, InstanceSpec { spindle_use: None, memory_mib: None, ..good() }, &[]);
        check(
            &policy,
            InstanceSpec { disks: vec![(DiskTemplate::Plain, 2048), (DiskTemplate::File, 1)], ..good() },
            &["Disk template file is not allowed (allowed templates: drbd, plain)", "disk-size/1 value 1 is not in range [1024, 1048576]"],
        );
        check(
            &policy,
            InstanceSpec { disks: vec![], ..good() },
            &["Disk template diskless is not allowed (allowed templates drbd, plain)"],
        );
    }

    #[test]
    fn the_nearest_range_counts() {
        let large =
            MinMax { min: Spec { cpu_count: 16, nic_count: 2, ..Spec::DEFAULT_MIN }, max: Spec { cpu_count: 32, ..Spec::DEFAULT_MAX } };
        let policy = IPolicy { minmax: vec![large, IPolicy::default().minmax[0]], ..IPolicy::default() };
        check(&policy, good(), &[]);
        check(&policy, InstanceSpec { vcpus: Some(12), ..good() }, &["cpu-count value 12 is not in range [1, 8]"]);
        check(&policy, InstanceSpec { vcpus: Some(20), nic_count: Some(2), ..good() }, &[]);
    }
}
