//! Disks of a new instance.

use gannet_core::config::{Config, Disk, DiskMode, LogicalId, ParamMap, Stamps};
use gannet_core::id::{DiskUuid, NodeUuid};
use gannet_core::name::InstanceName;
use gannet_core::opcode::{DiskParamsRequest, InstanceCreate, MAX_DISKS};
use gannet_core::param::{DiskTemplate, FileDriver};
use gannet_core::quantity::{Mib, Timestamp};
use gannet_proto::node::{DiskAssembleRequest, DiskCreateRequest, DiskRef, DiskWipeRequest};
use serde_json::Value;

use super::draft::Draft;
use super::nics::check_names;
use crate::refusal::Refusal;
use crate::rule::node_check;

/// A disk that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::opcode::instance) struct DiskWish {
    pub(in crate::opcode::instance) size: Mib,
    pub(in crate::opcode::instance) mode: DiskMode,
    pub(super) name: Option<String>,
    /// `raw` or `qcow2`.
    pub(super) format: String,
    driver: FileDriver,
}

/// Reads all disks.
pub(super) fn read(op: &InstanceCreate, template: DiskTemplate) -> Result<Vec<DiskWish>, Refusal> {
    if template == DiskTemplate::Diskless {
        return match op.disks.len() {
            0 => Ok(Vec::new()),
            count => Err(Refusal::invalid(format!("The disk template diskless takes no disks, but {count} were given"))),
        };
    }
    if op.disks.is_empty() {
        return Err(Refusal::invalid(format!("The disk template {template} needs at least one disk; use diskless for none")));
    }
    if op.disks.len() > usize::from(MAX_DISKS) {
        return Err(Refusal::invalid(format!("An instance can have at most {MAX_DISKS} disks")));
    }
    let driver = op.file_driver.unwrap_or(FileDriver::Loop);
    let disks = op.disks.iter().map(|request| one(request, template, driver)).collect::<Result<Vec<_>, _>>()?;
    check_names("Disk", disks.iter().filter_map(|disk| disk.name.as_deref()))?;
    Ok(disks)
}

/// Reads one disk.
pub(in crate::opcode::instance) fn one(
    request: &DiskParamsRequest,
    template: DiskTemplate,
    driver: FileDriver,
) -> Result<DiskWish, Refusal> {
    refuse_foreign(request, template)?;
    let mode = match request.text("mode") {
        None | Some("rw") => DiskMode::ReadWrite,
        Some("ro") => DiskMode::ReadOnly,
        Some(other) => return Err(Refusal::invalid(format!("Invalid disk access mode '{other}'"))),
    };
    let Some(size) = request.get("size") else { return Err(Refusal::invalid("Missing disk size")) };
    let size = match request.size_mib() {
        Some(mib) if mib > 0 => Mib(mib),
        _ => return Err(Refusal::invalid(format!("Invalid disk size '{size}'"))),
    };
    let format = match request.get("format").map(ToString::to_string).as_deref() {
        None => "raw",
        Some("raw") => "raw",
        Some("qcow2") => "qcow2",
        Some(other) => return Err(Refusal::invalid(format!("Invalid disk format '{other}', must be one of: raw, qcow2"))),
    };
    let name = request.get("name").map(ToString::to_string).filter(|name| name != "none");
    Ok(DiskWish { size, mode, name, format: format.to_owned(), driver })
}

/// Refuses what disks in files have no use for, so that nothing is silently ignored.
fn refuse_foreign(request: &DiskParamsRequest, template: DiskTemplate) -> Result<(), Refusal> {
    for (name, value) in &request.0 {
        match name.as_str() {
            "size" | "mode" | "name" | "format" => {}
            "dev_type" if value.to_string() == template.as_str() => {}
            "dev_type" => {
                return Err(Refusal::invalid(format!(
                    "A disk of type '{value}' cannot be part of an instance with the disk template {template}"
                )));
            }
            "adopt" => return Err(Refusal::invalid(format!("Disk adoption is not supported for the '{template}' disk template"))),
            "provider" => {
                return Err(Refusal::invalid(format!("The 'provider' option is only valid for the ext disk template, not {template}")));
            }
            "spindles" => {
                return Err(Refusal::invalid("Spindles in instance disks cannot be specified when exclusive storage is not enabled"));
            }
            other => return Err(Refusal::invalid(format!("Disk parameter '{other}' has no meaning for the disk template {template}"))),
        }
    }
    Ok(())
}

/// The directory of an instance's disks; `None` when the template has none (Ganeti: CalculateFileStorageDir).
pub(in crate::opcode::instance) fn directory(
    config: &Config,
    template: DiskTemplate,
    sub: Option<&str>,
    instance: &InstanceName,
) -> Result<Option<String>, Refusal> {
    let Some(base) = node_check::storage_dir(config, template) else {
        return match sub {
            None => Ok(None),
            Some(_) => Err(Refusal::invalid(format!("A file storage directory has no meaning for the disk template {template}"))),
        };
    };
    if base.is_empty() {
        return Err(Refusal::state(format!("Cluster file storage dir for '{template}' storage type not defined")));
    }
    let mut path = base.trim_end_matches('/').to_owned();
    if let Some(sub) = sub {
        let normal = |part: &str| !part.is_empty() && part != "." && part != "..";
        if !sub.split('/').all(normal) {
            return Err(Refusal::invalid(format!("Invalid file storage directory '{sub}': it must be relative, and normalized")));
        }
        path = format!("{path}/{sub}");
    }
    Ok(Some(format!("{path}/{instance}")))
}

/// The disks as the configuration will have them.
pub(super) fn objects(draft: &Draft, dir: Option<&str>, now: Timestamp) -> Vec<Disk> {
    let place = Place { template: draft.template, dir, primary: &draft.instance.primary_node, now };
    draft.disks.iter().enumerate().map(|(index, wish)| object(wish, &place, index)).collect()
}

/// Where a new disk is to lie.
#[derive(Debug, Clone, Copy)]
pub(in crate::opcode::instance) struct Place<'a> {
    pub(in crate::opcode::instance) template: DiskTemplate,
    /// The instance's directory, for file-based templates.
    pub(in crate::opcode::instance) dir: Option<&'a str>,
    pub(in crate::opcode::instance) primary: &'a NodeUuid,
    pub(in crate::opcode::instance) now: Timestamp,
}

/// A disk as the configuration will have it.
pub(in crate::opcode::instance) fn object(wish: &DiskWish, place: &Place<'_>, index: usize) -> Disk {
    let params =
        if wish.format == "raw" { ParamMap::new() } else { ParamMap::from([("format".to_owned(), Value::from(wish.format.as_str()))]) };
    Disk {
        dev_type: place.template.as_str().to_owned(),
        logical_id: LogicalId::File { driver: wish.driver.as_str().to_owned(), path: file(place.template, place.dir, index) },
        children: Vec::new(),
        nodes: if place.template == DiskTemplate::File { vec![place.primary.clone()] } else { Vec::new() },
        iv_name: format!("disk/{index}"),
        size: wish.size,
        mode: wish.mode,
        name: wish.name.clone(),
        spindles: None,
        params,
        uuid: DiskUuid::random(),
        stamps: Stamps::new(place.now),
    }
}

/// The file of a new disk; names as in Ganeti.
pub(in crate::opcode::instance) fn file(template: DiskTemplate, dir: Option<&str>, index: usize) -> String {
    format!("{}/{}.{template}.disk{index}", dir.unwrap_or_default(), DiskUuid::random())
}

/// Nothing that lies in a new disk's place is taken over.
pub(in crate::opcode::instance) fn create_request(disk: &DiskRef, instance: &str) -> DiskCreateRequest {
    DiskCreateRequest { disk: Some(disk.clone()), instance_name: instance.to_owned(), is_primary: true, exclusive: true }
}

pub(in crate::opcode::instance) fn assemble_request(disk: &DiskRef, instance: &str) -> DiskAssembleRequest {
    DiskAssembleRequest { disk: Some(disk.clone()), instance_name: instance.to_owned(), as_primary: true }
}

/// What has to be wiped of new disks: not qcow2 images, which read as zeros.
pub(in crate::opcode::instance) fn wipe_requests(disks: &[DiskRef]) -> Vec<DiskWipeRequest> {
    let raw = disks.iter().filter(|disk| disk.format.is_empty() || disk.format == "raw");
    raw.map(|disk| DiskWipeRequest { disk: Some(disk.clone()), offset_mib: 0, size_mib: disk.size_mib }).collect()
}
