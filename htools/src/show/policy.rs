//! A policy in one line, in the reference's notation.

use gannet_core::param::DiskTemplate;

use super::number::shortest;
use crate::policy::{MinMax, Policy, Spec};

/// The line.
#[must_use]
pub fn policy(policy: &Policy) -> String {
    let ranges: Vec<String> = policy.ranges.iter().map(range).collect();
    let templates: Vec<&str> = policy.templates.iter().map(|template| template_name(*template)).collect();
    format!(
        "IPolicy {{iPolicyMinMaxISpecs = [{}], iPolicyStdSpec = {}, iPolicyDiskTemplates = [{}], iPolicyVcpuRatio = {}, \
         iPolicySpindleRatio = {}}}",
        ranges.join(","),
        spec(&policy.standard),
        templates.join(","),
        shortest(policy.vcpu_ratio),
        shortest(policy.spindle_ratio)
    )
}

fn range(range: &MinMax) -> String {
    format!("MinMaxISpecs {{minMaxISpecsMinSpec = {}, minMaxISpecsMaxSpec = {}}}", spec(&range.min), spec(&range.max))
}

fn spec(spec: &Spec) -> String {
    format!(
        "ISpec {{iSpecMemorySize = {}, iSpecCpuCount = {}, iSpecDiskSize = {}, iSpecDiskCount = {}, iSpecNicCount = {}, \
         iSpecSpindleUse = {}}}",
        spec.memory, spec.cpus, spec.disk, spec.disks, spec.nics, spec.spindles
    )
}

fn template_name(template: DiskTemplate) -> &'static str {
    match template {
        DiskTemplate::Diskless => "DTDiskless",
        DiskTemplate::File => "DTFile",
        DiskTemplate::SharedFile => "DTSharedFile",
        DiskTemplate::Plain => "DTPlain",
        DiskTemplate::BlockDev => "DTBlock",
        DiskTemplate::Drbd => "DTDrbd8",
        DiskTemplate::Rbd => "DTRbd",
        DiskTemplate::Ext => "DTExt",
        DiskTemplate::Gluster => "DTGluster",
    }
}
