//! Fields of network interfaces.

use std::borrow::Cow;

use gannet_core::config::{Instance, Nic, ParamMap};
use gannet_core::param::fill;
use serde_json::Value;

use super::Instances;
use crate::query::layer::{Layer, Layered};

/// Where a NIC inherits from: a group's connection to a network, by their UUIDs; nothing for a NIC outside networks.
pub(crate) type Connection<'a> = Option<(&'a str, &'a str)>;

/// What can be asked about a NIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NicField {
    Bridge,
    Ip,
    Link,
    Mac,
    Mode,
    Name,
    Network,
    NetworkName,
    Uuid,
    Vlan,
}

impl NicField {
    /// The field of which `name` is the list over all NICs.
    pub(crate) fn of_list(name: &str) -> Option<Self> {
        Some(match name {
            "nic.bridges" => Self::Bridge,
            "nic.ips" => Self::Ip,
            "nic.links" => Self::Link,
            "nic.macs" => Self::Mac,
            "nic.modes" => Self::Mode,
            "nic.names" => Self::Name,
            "nic.networks" => Self::Network,
            "nic.networks.names" => Self::NetworkName,
            "nic.uuids" => Self::Uuid,
            "nic.vlans" => Self::Vlan,
            _ => return None,
        })
    }

    /// The field of which `family` with a number is that of one NIC.
    pub(crate) fn of_one(family: &str) -> Option<Self> {
        Some(match family {
            "nic.bridge" => Self::Bridge,
            "nic.ip" => Self::Ip,
            "nic.link" => Self::Link,
            "nic.mac" => Self::Mac,
            "nic.mode" => Self::Mode,
            "nic.name" => Self::Name,
            "nic.network" => Self::Network,
            "nic.network.name" => Self::NetworkName,
            "nic.uuid" => Self::Uuid,
            "nic.vlan" => Self::Vlan,
            _ => return None,
        })
    }
}

impl<'a> Instances<'a> {
    /// The value, or `None` where the NIC has no such thing.
    pub(crate) fn nic_text(&self, instance: &'a Instance, nic: &'a Nic, field: NicField) -> Option<Cow<'a, str>> {
        let network = || nic.network.as_ref();
        match field {
            NicField::Ip => nic.ip.as_deref().map(Cow::Borrowed),
            NicField::Mac => Some(Cow::Borrowed(nic.mac.as_str())),
            NicField::Name => nic.name.as_deref().map(Cow::Borrowed),
            NicField::Uuid => Some(Cow::Borrowed(nic.uuid.as_str())),
            NicField::Network => network().map(|uuid| Cow::Borrowed(uuid.as_str())),
            NicField::NetworkName => self.config.network(network()?).map(|network| Cow::Borrowed(network.name.as_str())),
            NicField::Link => self.nic_param(instance, nic, "link"),
            NicField::Mode => self.nic_param(instance, nic, "mode"),
            NicField::Bridge => self.nic_param(instance, nic, "link").filter(|_| self.has_mode(instance, nic, "bridged")),
            // Ganeti: VLANs belong to Open vSwitch.
            NicField::Vlan => self.nic_param(instance, nic, "vlan").filter(|_| self.has_mode(instance, nic, "openvswitch")),
        }
    }

    fn has_mode(&self, instance: &'a Instance, nic: &'a Nic, mode: &str) -> bool {
        self.nic_param(instance, nic, "mode").as_deref() == Some(mode)
    }

    fn nic_param(&self, instance: &'a Instance, nic: &'a Nic, name: &str) -> Option<Cow<'a, str>> {
        if let Some(own) = nic.nicparams.get(name) {
            return own.as_str().map(Cow::Borrowed);
        }
        self.nic_layer(instance, nic).get(name).and_then(Value::as_str).map(|text| Cow::Owned(text.to_owned()))
    }

    fn nic_layer(&self, instance: &'a Instance, nic: &'a Nic) -> Layered<'a> {
        let group = || self.group_of(self.pnode(instance));
        let connection = nic.network.as_ref().and_then(|network| Some((group()?, network)));
        let key = connection.map(|(group, network)| (group.uuid.as_str(), network.as_str()));
        let mut layers = self.nic.borrow_mut();
        let layer = layers.entry(key).or_insert_with(|| {
            let of_network = connection.and_then(|(group, network)| group.networks.get(network));
            Layer::new(fill::nic(&self.config.cluster().nicparams, of_network, &ParamMap::new()).into_inner().0)
        });
        Layered::new(layer.clone(), &nic.nicparams, &[])
    }
}
