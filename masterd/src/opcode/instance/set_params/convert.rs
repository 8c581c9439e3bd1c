//! Conversion of an instance's disks to another template: new disks are made and filled, then the old ones go. Pure.

use gannet_core::config::{Config, Disk, Instance, LogicalId, Stamps};
use gannet_core::id::DiskUuid;
use gannet_core::opcode::InstanceSetParams;
use gannet_core::param::{DiskTemplate, FileDriver};
use gannet_core::quantity::Timestamp;

use super::disks::usable;
use crate::opcode::instance::create::disks;
use crate::refusal::Refusal;
use crate::rule::spec;

/// The old disks, each with the one that takes its place.
pub(super) fn pairs(
    config: &Config,
    instance: &Instance,
    op: &InstanceSetParams,
    template: DiskTemplate,
    now: Timestamp,
) -> Result<Vec<(Disk, Disk)>, Refusal> {
    if !op.disks.is_empty() {
        return Err(Refusal::invalid("Disk template conversion and other disk changes not supported at the same time"));
    }
    check(config, instance, template)?;
    let dir = disks::directory(config, template, op.file_storage_dir.as_deref(), &instance.name)?;
    let driver = op.file_driver.unwrap_or(FileDriver::Loop);
    let one = |(index, old): (usize, &std::sync::Arc<Disk>)| {
        let new = Disk {
            dev_type: template.as_str().to_owned(),
            logical_id: LogicalId::File { driver: driver.as_str().to_owned(), path: disks::file(template, dir.as_deref(), index) },
            nodes: if template == DiskTemplate::File { vec![instance.primary_node.clone()] } else { Vec::new() },
            uuid: DiskUuid::random(),
            stamps: Stamps::new(now),
            ..(**old).clone()
        };
        ((**old).clone(), new)
    };
    Ok(config.disks_of(instance).enumerate().map(one).collect())
}

fn check(config: &Config, instance: &Instance, template: DiskTemplate) -> Result<(), Refusal> {
    let old = config.disk_template(instance);
    match old {
        "mixed" => return Err(Refusal::invalid("Conversion from mixed is not yet supported.")),
        "diskless" => return Err(Refusal::invalid("Conversion from the 'diskless' disk template is not supported")),
        _ => {}
    }
    if matches!(template, DiskTemplate::Diskless | DiskTemplate::BlockDev) {
        return Err(Refusal::invalid(format!("Conversion to the '{template}' disk template is not supported")));
    }
    if old == template.as_str() {
        return Err(Refusal::invalid(format!("Instance already has disk template {template}")));
    }
    usable(config, template)?;
    let Some(group) = spec::group_of(config, &instance.primary_node) else { return Ok(()) };
    let allowed = spec::ipolicy(config, group).disk_templates.clone();
    if allowed.contains(&template) {
        return Ok(());
    }
    let words: Vec<&str> = allowed.iter().map(|template| template.as_str()).collect();
    Err(Refusal::state(format!("Disk template '{template}' is not allowed (allowed templates: {})", words.join(", "))))
}
