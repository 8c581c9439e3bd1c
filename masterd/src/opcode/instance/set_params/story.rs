//! What is told to the operator, and which devices of the running guest change with it.

use gannet_core::config::{Config, Disk, Instance, Nic};
use gannet_proto::node::instance_hotplug_request::Device as HotplugDevice;
use gannet_proto::node::{self as proto, DiskRef, InstanceHotplugRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rule::spec;

/// Hypervisors whose running guests can get and give devices.
const HOTPLUG: [&str; 2] = ["fake", "kvm"];

/// Whether devices of guests of this hypervisor can come and go.
pub(super) fn can_hotplug(hypervisor: &str) -> bool {
    HOTPLUG.contains(&hypervisor)
}

/// What happens to a device of the running guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Add,
    Modify,
    Remove,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Add => "hotadd",
            Self::Modify => "hotmod",
            Self::Remove => "hotremove",
        }
    }
}

/// A device of a running guest.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Device {
    Nic(Nic),
    /// With its position.
    Disk(Disk, usize),
}

/// One line of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Told {
    Change(String, Value),
    /// How the plug of this number went.
    Plug(String, usize),
}

/// Collects both.
#[derive(Debug)]
pub(super) struct Story {
    hotplug: bool,
    pub(super) told: Vec<Told>,
    plugs: Vec<(Action, Device)>,
}

impl Story {
    /// Of an instance whose running guest is changed too, or not.
    pub(super) fn new(hotplug: bool) -> Self {
        Self { hotplug, told: Vec::new(), plugs: Vec::new() }
    }

    /// Whether the running guest is changed too.
    pub(super) fn hotplug(&self) -> bool {
        self.hotplug
    }

    pub(super) fn tell(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.told.push(Told::Change(name.into(), value.into()));
    }

    /// Changes the running guest, if that is wanted. `name` is for the line that tells how it went.
    pub(super) fn plug(&mut self, name: impl Into<String>, action: Action, device: Device) {
        if self.hotplug {
            self.told.push(Told::Plug(name.into(), self.plugs.len()));
            self.plugs.push((action, device));
        }
    }

    /// The requests to the node, for the instance as it will be; before each the number of its line.
    pub(super) fn requests(&self, config: &Config, new: &Instance, disks: &[Disk]) -> Vec<Plug> {
        let mut message = spec::instance_with(config, new, &disks.iter().collect::<Vec<_>>());
        // No device needs them, and what is not there cannot leak.
        message.osparams_private.clear();
        self.plugs.iter().map(|(action, device)| Plug::new(config, new, &message, *action, device)).collect()
    }
}

/// A change of the running guest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Plug {
    /// Before the record changes: nothing is taken from a guest that still uses it.
    pub(super) early: bool,
    pub(super) request: InstanceHotplugRequest,
}

impl Plug {
    fn new(config: &Config, new: &Instance, message: &proto::Instance, action: Action, device: &Device) -> Self {
        let group = spec::group_of(config, &new.primary_node);
        let early = action == Action::Remove && matches!(device, Device::Disk(..));
        let device = match device {
            Device::Nic(nic) => HotplugDevice::Nic(spec::proto_nic(config, group, nic)),
            // A guest has fewer disks than 2^32 (MAX_DISKS).
            Device::Disk(disk, index) => HotplugDevice::Disk(DiskRef::from_disk(disk, u32::try_from(*index).unwrap_or(u32::MAX))),
        };
        let request = InstanceHotplugRequest { instance: Some(message.clone()), action: action.word().to_owned(), device: Some(device) };
        Self { early, request }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn nothing_is_plugged_unless_wanted() {
        let nic = sample::instance(1, 1).nics.remove(0);
        let mut story = Story::new(false);
        story.plug("nic.0", Action::Add, Device::Nic(nic.clone()));
        assert!(story.told.is_empty());
        let mut story = Story::new(true);
        story.tell("nic.0", "add");
        story.plug("nic.0", Action::Add, Device::Nic(nic));
        story.plug("disk/0", Action::Remove, Device::Disk(sample::disk(1, 1), 0));
        assert_eq!(story.told[1..], [Told::Plug("nic.0".to_owned(), 0), Told::Plug("disk/0".to_owned(), 1)]);
        let config = sample::config();
        let mut instance = sample::instance(1, 1);
        instance.osparams_private.insert("password".to_owned(), "x".to_owned());
        let plugs = story.requests(&config, &instance, &[]);
        assert_eq!(
            plugs.iter().map(|plug| (plug.early, plug.request.action.as_str())).collect::<Vec<_>>(),
            [(false, "hotadd"), (true, "hotremove")]
        );
        assert!(!serde_json::to_string(&plugs).unwrap().contains("password"));
    }
}
