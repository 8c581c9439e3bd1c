//! Modifications of an instance's disks: what the records will be, and what has to be made, moved and removed. Pure.

use std::path::Path;
use std::sync::Arc;

use gannet_core::config::{Config, Disk, DiskMode, Instance, LogicalId};
use gannet_core::opcode::{DiskParamsRequest, InstanceSetParams, MAX_DISKS, ModAction};
use gannet_core::param::{DiskTemplate, FileDriver};
use gannet_core::quantity::Timestamp;

use super::list;
use super::story::{Action, Device, Story};
use crate::opcode::instance::create::disks::{self, Place};
use crate::opcode::instance::create::nics::check_names;
use crate::refusal::Refusal;
use crate::rule::settings;

/// Ganeti's word in its refusals and in the result.
const KIND: &str = "disk";

/// The disks after the request, and what it takes.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Outcome {
    /// All disks of the instance, in order.
    pub(super) disks: Vec<Disk>,
    /// Those among them that have to be made.
    pub(super) new: Vec<Disk>,
    /// Those among them that belonged to nobody: as they were.
    pub(super) attached: Vec<Disk>,
    /// Disks that leave the instance and are kept: as they were and as they will be, with their position.
    pub(super) detached: Vec<(Disk, Disk, usize)>,
    /// Disks that end, with their position.
    pub(super) removed: Vec<(Disk, usize)>,
}

impl Outcome {
    /// Nothing but other values in records.
    pub(super) fn is_only_record(&self) -> bool {
        self.new.is_empty() && self.attached.is_empty() && self.detached.is_empty() && self.removed.is_empty()
    }
}

/// Applies the request. `now` is for new disks.
pub(super) fn apply(
    config: &Config,
    instance: &Instance,
    op: &InstanceSetParams,
    now: Timestamp,
    story: &mut Story,
) -> Result<Outcome, Refusal> {
    let disks = config.disks_of(instance).map(|disk| (**disk).clone()).collect();
    let mut list = List { config, instance, op, now, outcome: Outcome { disks, ..Outcome::default() } };
    for change in &op.disks {
        match change.action {
            ModAction::Add => {
                let index = list::place(KIND, list.outcome.disks.len(), &change.target)?;
                list.add(index, &change.params, story)?;
            }
            ModAction::Attach => {
                let index = list::place(KIND, list.outcome.disks.len(), &change.target)?;
                list.attach(index, &change.params, story)?;
            }
            ModAction::Modify => {
                let index = list::find(KIND, &list.outcome.disks, &change.target)?;
                modify(index, &mut list.outcome.disks[index], &change.params, story)?;
            }
            ModAction::Detach | ModAction::Remove => {
                if !change.params.0.is_empty() {
                    return Err(Refusal::invalid("No settings should be passed when removing or detaching a disk"));
                }
                let index = list::find(KIND, &list.outcome.disks, &change.target)?;
                list.take(index, change.action, story)?;
            }
        }
    }
    list.finish()
}

struct List<'a> {
    config: &'a Config,
    instance: &'a Instance,
    op: &'a InstanceSetParams,
    now: Timestamp,
    outcome: Outcome,
}

impl List<'_> {
    fn add(&mut self, index: usize, request: &DiskParamsRequest, story: &mut Story) -> Result<(), Refusal> {
        let template = self.template(request)?;
        self.check_sync("add")?;
        let wish = disks::one(request, template, self.op.file_driver.unwrap_or(FileDriver::Loop))?;
        let dir = self.directory(template)?;
        let place = Place { template, dir: dir.as_deref(), primary: &self.instance.primary_node, now: self.now };
        let disk = disks::object(&wish, &place, index);
        let name = format!("{KIND}/{index}");
        story.tell(&name, format!("add:size={},mode={}", disk.size.0, disk.mode.as_str()));
        story.plug(&name, Action::Add, Device::Disk(disk.clone(), index));
        self.outcome.new.push(disk.clone());
        self.outcome.disks.insert(index, disk);
        Ok(())
    }

    /// The template of a new disk: that of the others, or the one that is named.
    fn template(&self, request: &DiskParamsRequest) -> Result<DiskTemplate, Refusal> {
        let word = match (self.outcome.disks.first(), request.get("dev_type")) {
            (Some(other), _) => other.dev_type.clone(),
            (None, Some(named)) => named.to_string(),
            (None, None) => return Err(Refusal::invalid("Must specify disk type on diskless instance")),
        };
        let template: DiskTemplate = word.parse().map_err(|error: gannet_core::param::UnknownWord| Refusal::invalid(error.to_string()))?;
        if template == DiskTemplate::Diskless {
            return Err(Refusal::invalid("Must specify disk type on diskless instance"));
        }
        usable(self.config, template)?;
        Ok(template)
    }

    fn directory(&self, template: DiskTemplate) -> Result<Option<String>, Refusal> {
        disks::directory(self.config, template, self.op.file_storage_dir.as_deref(), &self.instance.name)
    }

    /// Nothing waits for a disk that is not in use (Ganeti's rule, also for templates without mirrors).
    fn check_sync(&self, what: &str) -> Result<(), Refusal> {
        if self.op.wait_for_sync || self.instance.disks_active {
            return Ok(());
        }
        Err(Refusal::invalid(format!("Can't {what} a disk to an instance with deactivated disks and --no-wait-for-sync given")))
    }

    fn attach(&mut self, index: usize, request: &DiskParamsRequest, story: &mut Story) -> Result<(), Refusal> {
        self.check_sync("attach")?;
        let found = self.unowned(request)?;
        if self.outcome.disks.iter().chain(self.outcome.detached.iter().map(|(_, disk, _)| disk)).any(|disk| disk.uuid == found.uuid) {
            return Err(Refusal::invalid(format!("The request uses the disk {} twice", found.uuid)));
        }
        let template = self.outcome.disks.first().map(|disk| disk.dev_type.clone());
        if let Some(template) = template.filter(|template| *template != found.dev_type) {
            return Err(Refusal::invalid(format!("Instance has '{template}' template while disk has '{}' template", found.dev_type)));
        }
        if !found.nodes.is_empty() && !found.nodes.contains(&self.instance.primary_node) {
            let name = |uuid| crate::rule::spec::node_name(self.config, uuid);
            let nodes: Vec<String> = found.nodes.iter().map(name).collect();
            let own = name(&self.instance.primary_node);
            return Err(Refusal::invalid(format!("Disk nodes are {} while the instance's nodes are {own}", nodes.join(", "))));
        }
        let mut disk = (**found).clone();
        if let (Ok(template @ (DiskTemplate::File | DiskTemplate::SharedFile)), LogicalId::File { path, .. }) =
            (disk.dev_type.parse(), &mut disk.logical_id)
        {
            *path = disks::file(template, self.directory(template)?.as_deref(), index);
        }
        let name = format!("{KIND}/{index}");
        story.tell(&name, format!("attach:size={},mode={}", disk.size.0, disk.mode.as_str()));
        story.plug(&name, Action::Add, Device::Disk(disk.clone(), index));
        self.outcome.attached.push((**found).clone());
        self.outcome.disks.insert(index, disk);
        Ok(())
    }

    /// The disk that a request to attach means; it must belong to no instance.
    fn unowned(&self, request: &DiskParamsRequest) -> Result<&Arc<Disk>, Refusal> {
        let only = request.0.iter().next().filter(|_| request.0.len() == 1);
        let disk = match only.map(|(name, value)| (name.as_str(), value.to_string())) {
            Some(("uuid", uuid)) => {
                let found = self.config.disk(&uuid.as_str().into());
                found.ok_or_else(|| Refusal::invalid(format!("No disk was found with this UUID: {uuid}")))?
            }
            Some(("name", name)) => {
                let mut named: Vec<&Arc<Disk>> = self.config.disks().filter(|disk| disk.name.as_deref() == Some(&name)).collect();
                if named.len() > 1 {
                    named.retain(|disk| self.config.owner_of_disk(&disk.uuid).is_none());
                }
                match named.as_slice() {
                    [] => return Err(Refusal::invalid(format!("No disk was found with this name: {name}"))),
                    [one] => *one,
                    several => {
                        let uuids: Vec<&str> = several.iter().map(|disk| disk.uuid.as_str()).collect();
                        return Err(Refusal::invalid(format!(
                            "Several disks are called {name}; use one of the UUIDs {}",
                            uuids.join(", ")
                        )));
                    }
                }
            }
            _ => return Err(Refusal::invalid("Only one argument is permitted in attach op, either name or uuid")),
        };
        match self.config.owner_of_disk(&disk.uuid) {
            Some(owner) => Err(Refusal::state(format!("Disk {} is already attached to instance {}", disk.uuid, owner.name))),
            None => Ok(disk),
        }
    }

    fn take(&mut self, index: usize, action: ModAction, story: &mut Story) -> Result<(), Refusal> {
        let disk = self.outcome.disks.remove(index);
        if !self.instance.disks.contains(&disk.uuid) {
            return Err(Refusal::invalid(format!("The request adds disk {index} and takes it away again")));
        }
        let name = format!("{KIND}/{index}");
        story.tell(&name, action.as_str());
        // As it is in the running guest, whatever the same request says of it.
        let old = self.config.disk(&disk.uuid).map_or_else(|| disk.clone(), |disk| (**disk).clone());
        story.plug(&name, Action::Remove, Device::Disk(old.clone(), index));
        if action == ModAction::Remove {
            self.outcome.removed.push((old, index));
        } else {
            let mut kept = disk;
            leave_directory(self.instance, &mut kept);
            self.outcome.detached.push((old, kept, index));
        }
        Ok(())
    }

    fn finish(self) -> Result<Outcome, Refusal> {
        let mut outcome = self.outcome;
        if outcome.disks.len() > usize::from(MAX_DISKS) {
            return Err(Refusal::state(format!("Instance has too many disks ({MAX_DISKS}), cannot add more")));
        }
        check_names(KIND, outcome.disks.iter().filter_map(|disk| disk.name.as_deref()))?;
        for (index, disk) in outcome.disks.iter_mut().enumerate() {
            disk.iv_name = format!("disk/{index}");
        }
        Ok(outcome)
    }
}

/// Whether disks of a template can be made in this cluster.
pub(super) fn usable(config: &Config, template: DiskTemplate) -> Result<(), Refusal> {
    if !settings::BUILT_TEMPLATES.contains(&template) {
        return Err(Refusal::invalid(format!(
            "Disk template '{template}' is not available in this version of Gannet yet (see docs/status.md)"
        )));
    }
    let enabled = &config.cluster().enabled_disk_templates;
    if enabled.iter().any(|word| word == template.as_str()) {
        return Ok(());
    }
    Err(Refusal::state(format!("Disk template '{template}' is not enabled for this cluster (enabled templates: {})", enabled.join(", "))))
}

fn modify(index: usize, disk: &mut Disk, request: &DiskParamsRequest, story: &mut Story) -> Result<(), Refusal> {
    for (name, value) in &request.0 {
        match name.as_str() {
            "size" => return Err(Refusal::invalid("Disk size change not possible, use grow-disk")),
            "mode" => {
                disk.mode = match value.to_string().as_str() {
                    "rw" => DiskMode::ReadWrite,
                    "ro" => DiskMode::ReadOnly,
                    other => return Err(Refusal::invalid(format!("Invalid disk access mode '{other}'"))),
                };
                story.tell(format!("disk.mode/{index}"), disk.mode.as_str());
            }
            "name" => {
                disk.name = Some(value.to_string()).filter(|name| !name.eq_ignore_ascii_case("none"));
                story.tell(format!("disk.name/{index}"), disk.name.clone());
            }
            other => {
                return Err(Refusal::invalid(format!(
                    "Disk parameter '{other}' cannot be changed for the disk template {}; only mode and name can",
                    disk.dev_type
                )));
            }
        }
    }
    Ok(())
}

/// A file that lies in the directory of its instance goes one level up: the directory ends with the instance.
fn leave_directory(instance: &Instance, disk: &mut Disk) {
    let LogicalId::File { path, .. } = &mut disk.logical_id else { return };
    let old = Path::new(&*path);
    let own = old.parent().filter(|dir| dir.file_name().is_some_and(|name| name == instance.name.as_str()));
    if let (Some(above), Some(file)) = (own.and_then(Path::parent), old.file_name()) {
        *path = above.join(file).display().to_string();
    }
}
