//! Policies of the text format.

use super::field::{Fields, split};
use crate::cluster::Cluster;
use crate::load::number;
use crate::policy::{MinMax, Policy, Spec};

/// Reads the policy of a group, or of the cluster when it has no owner.
pub(super) fn read(fields: &Fields<'_>, cluster: &mut Cluster) -> Result<(), String> {
    fields.at_least(6, "ipolicy")?;
    let owner = fields.text(0);
    let policy = Policy {
        standard: spec(&format!("{owner}/stdspec"), fields.text(1))?,
        ranges: ranges(owner, fields.text(2))?,
        templates: split(fields.text(3), ',')
            .into_iter()
            .map(|name| name.parse().map_err(|_| format!("{owner}/disk_templates: invalid disk template '{name}'")))
            .collect::<Result<_, String>>()?,
        vcpu_ratio: number::real(&format!("{owner}/vcpu_ratio"), fields.text(4))?,
        spindle_ratio: number::real(&format!("{owner}/spindle_ratio"), fields.text(5))?,
    };
    if owner.is_empty() {
        cluster.policy = policy;
        return Ok(());
    }
    let group = cluster.find_group(owner).map_err(|error| error.to_string())?;
    cluster.groups[group.at()].policy = policy;
    Ok(())
}

fn ranges(owner: &str, text: &str) -> Result<Vec<MinMax>, String> {
    let specs = split(text, ';');
    if !specs.len().is_multiple_of(2) {
        return Err(format!("Odd number of min/max specs for {owner}"));
    }
    let range =
        |pair: &[&str]| Ok(MinMax { min: spec(&format!("{owner}/minspec"), pair[0])?, max: spec(&format!("{owner}/maxspec"), pair[1])? });
    specs.chunks_exact(2).map(range).collect()
}

fn spec(whose: &str, text: &str) -> Result<Spec, String> {
    let fields = split(text, ',');
    let [memory, cpus, disk, disks, nics, spindles, ..] = fields.as_slice() else {
        return Err(format!("Invalid ispec data for {whose}: '{text}', expected memory,cpus,disk,disks,nics,spindles"));
    };
    let part = |name: &str, text: &str| number::count(&format!("{whose}/{name}"), text);
    Ok(Spec {
        memory: part("memsize", memory)?,
        cpus: part("cpucount", cpus)?,
        disk: part("disksize", disk)?,
        disks: part("diskcount", disks)?,
        nics: part("niccount", nics)?,
        spindles: part("spindleuse", spindles)?,
    })
}
