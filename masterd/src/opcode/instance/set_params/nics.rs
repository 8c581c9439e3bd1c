//! Modifications of an instance's NICs. Pure, but for the addresses that are made or reserved by the caller's function.

use std::collections::BTreeSet;
use std::net::IpAddr;

use gannet_core::config::{Config, Instance, Nic, ParamMap};
use gannet_core::id::{NetworkUuid, NicUuid, NodeUuid};
use gannet_core::opcode::{InstanceSetParams, ModAction, NicParam, NicParamsRequest};
use gannet_core::param::{INHERIT, NicMode, shown};
use serde_json::Value;

use super::list;
use super::story::{Action, Device, Story};
use crate::opcode::instance::create::nics::{MAX_NICS, check_names, fit_group, mac};
use crate::refusal::Refusal;
use crate::rule::spec;

/// Ganeti's word in its refusals and in the result.
const KIND: &str = "NIC";

/// Makes the MAC address of a NIC, if it has none, or reserves the one that it has.
pub(super) type Assign<'a> = &'a dyn Fn(&mut Nic) -> Result<(), Refusal>;

/// The NICs after the request.
pub(super) fn apply(
    config: &Config,
    instance: &Instance,
    op: &InstanceSetParams,
    assign: Assign<'_>,
    story: &mut Story,
) -> Result<Vec<Nic>, Refusal> {
    let mut nics = instance.nics.clone();
    let place = Group { config, primary: &instance.primary_node, conflicts_check: op.conflicts_check };
    for change in &op.nics {
        match change.action {
            ModAction::Add => {
                let index = list::place(KIND, nics.len(), &change.target)?;
                let nic = place.changed(None, &change.params, assign)?;
                tell_new(&place, index, &nic, story);
                nics.insert(index, nic);
            }
            ModAction::Modify => {
                let index = list::find(KIND, &nics, &change.target)?;
                let nic = place.changed(Some(&nics[index]), &change.params, assign)?;
                tell_changed(&place, index, &nics[index], &nic, &change.params, story);
                nics[index] = nic;
            }
            ModAction::Remove => {
                if !change.params.0.is_empty() {
                    return Err(Refusal::invalid("No settings should be passed when removing or detaching a NIC"));
                }
                let index = list::find(KIND, &nics, &change.target)?;
                story.tell(format!("{KIND}/{index}"), "remove");
                story.plug(format!("{KIND}/{index}"), Action::Remove, Device::Nic(nics.remove(index)));
            }
            ModAction::Attach => return Err(Refusal::invalid("Attach operation is not supported for NICs")),
            ModAction::Detach => return Err(Refusal::invalid("Detach operation is not supported for NICs")),
        }
    }
    if nics.len() > MAX_NICS {
        return Err(Refusal::state(format!("Instance has too many network interfaces ({MAX_NICS}), cannot add more")));
    }
    check_names(KIND, nics.iter().filter_map(|nic| nic.name.as_deref()))?;
    let mut seen = BTreeSet::new();
    match nics.iter().find(|nic| !seen.insert(nic.mac.as_str())) {
        Some(nic) => Err(Refusal::invalid(format!("MAC address {} is used by two NICs of the request", nic.mac))),
        None => Ok(nics),
    }
}

/// What a request says of a value that can be absent.
#[derive(Clone, Copy, PartialEq)]
enum Set<'a> {
    Keep,
    Nothing,
    To(&'a str),
}

impl<'a> Set<'a> {
    fn read(request: &'a NicParamsRequest, param: NicParam) -> Self {
        match request.get(param) {
            None if !request.is_set(param) => Self::Keep,
            Some(text) if !text.eq_ignore_ascii_case("none") => Self::To(text),
            _ => Self::Nothing,
        }
    }
}

/// Where the NICs are.
struct Group<'a> {
    config: &'a Config,
    primary: &'a NodeUuid,
    conflicts_check: bool,
}

impl Group<'_> {
    /// A NIC after a request; a new one when there was none.
    fn changed(&self, old: Option<&Nic>, request: &NicParamsRequest, assign: Assign<'_>) -> Result<Nic, Refusal> {
        let link = match (request.get(NicParam::Link), request.get(NicParam::Bridge)) {
            (Some(_), Some(_)) => return Err(Refusal::invalid("Cannot pass 'bridge' and 'link' at the same time")),
            (link, bridge) => link.or(bridge),
        };
        let mode = request.get(NicParam::Mode);
        let network = Set::read(request, NicParam::Network);
        if matches!(network, Set::To(_)) && (mode.is_some() || link.is_some()) {
            return Err(Refusal::invalid("If network is given mode or link should not"));
        }
        let mut nic = old.cloned().unwrap_or_else(blank);
        nic.network = match network {
            Set::Keep => nic.network,
            Set::Nothing => None,
            Set::To(name) => Some(self.config.find_network(name)?.uuid.clone()),
        };
        nic.ip = match Set::read(request, NicParam::Ip) {
            Set::Keep => nic.ip,
            Set::Nothing => None,
            Set::To(text) => Some(ip(text, nic.network.is_some())?),
        };
        nic.name = match Set::read(request, NicParam::Name) {
            Set::Keep => nic.name,
            Set::Nothing => None,
            Set::To(text) => Some(text.to_owned()),
        };
        let blank = blank();
        let before = old.unwrap_or(&blank);
        let moved = (&nic.ip, &nic.network) != (&before.ip, &before.network);
        if !moved && before.network.is_some() && (link.is_some() || mode.is_some()) {
            return Err(Refusal::invalid("Not allowed to change link or mode of a NIC that is connected to a network"));
        }
        if moved && nic.network.is_some() && nic.ip.is_some() {
            return Err(Refusal::invalid("Reserving an address in a network is not available in this version of Gannet yet"));
        }
        if nic.network.is_none() {
            overlay(&mut nic.nicparams, [("mode", mode), ("link", link), ("vlan", request.get(NicParam::Vlan))]);
        }
        fit_group(self.config, self.primary, self.conflicts_check && moved, &mut nic)?;
        self.check(&nic, request)?;
        self.address(old, &mut nic, request, assign)?;
        Ok(nic)
    }

    /// Mode, link, VLAN and address must go together.
    fn check(&self, nic: &Nic, request: &NicParamsRequest) -> Result<(), Refusal> {
        let filled = spec::nic(self.config, spec::group_of(self.config, self.primary), nic);
        filled.check().map_err(|error| Refusal::invalid(error.to_string()))?;
        if request.is_set(NicParam::Vlan) && !filled.vlan().is_empty() && filled.mode() != Some(NicMode::OpenVswitch) {
            return Err(Refusal::invalid("A vlan can only be given for NICs on Open vSwitch (mode openvswitch)"));
        }
        if filled.mode() == Some(NicMode::Routed) && nic.ip.is_none() && nic.network.is_none() {
            return Err(Refusal::invalid("Cannot set the NIC IP address to None on a routed NIC if not attached to a network"));
        }
        Ok(())
    }

    fn address(&self, old: Option<&Nic>, nic: &mut Nic, request: &NicParamsRequest, assign: Assign<'_>) -> Result<(), Refusal> {
        let wanted = request.get(NicParam::Mac);
        if request.is_set(NicParam::Mac) && wanted.is_none() {
            return Err(Refusal::invalid("Cannot unset the NIC MAC address"));
        }
        if old.is_some() && wanted.is_some_and(|text| text.eq_ignore_ascii_case("auto")) {
            return Err(Refusal::invalid("'auto' is not a valid MAC address when modifying an existing NIC"));
        }
        let other_prefix = old.is_some_and(|old| self.prefix(old.network.as_ref()) != self.prefix(nic.network.as_ref()));
        if old.is_some() && wanted.is_none() && !other_prefix {
            return Ok(());
        }
        nic.mac = mac(wanted)?;
        assign(nic)
    }

    /// The MAC prefix of a network that has its own.
    fn prefix(&self, network: Option<&NetworkUuid>) -> Option<&str> {
        self.config.network(network?)?.mac_prefix.as_deref()
    }

    /// What the NIC is after inheritance: name and value, in Ganeti's order.
    fn filled(&self, nic: &Nic) -> Vec<(String, Value)> {
        let filled = spec::nic(self.config, spec::group_of(self.config, self.primary), nic);
        filled.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn network_name(&self, nic: &Nic) -> Option<String> {
        let uuid = nic.network.as_ref()?;
        Some(self.config.network(uuid).map_or_else(|| uuid.to_string(), |network| network.name.clone()))
    }
}

fn blank() -> Nic {
    Nic { mac: String::new(), ip: None, nicparams: ParamMap::new(), network: None, name: None, uuid: NicUuid::random() }
}

fn ip(text: &str, in_network: bool) -> Result<String, Refusal> {
    if text.eq_ignore_ascii_case("pool") {
        return Err(Refusal::invalid(if in_network {
            "ip=pool: address pools are not available in this version of Gannet yet"
        } else {
            "If ip=pool, parameter network cannot be none"
        }));
    }
    text.parse::<IpAddr>().map(|_| text.to_owned()).map_err(|_| Refusal::invalid(format!("Invalid IP address '{text}'")))
}

/// `default` means: inherit.
fn overlay(own: &mut ParamMap, wanted: [(&str, Option<&str>); 3]) {
    for (name, value) in wanted {
        match value {
            None => {}
            Some(INHERIT) => drop(own.remove(name)),
            Some(value) => drop(own.insert(name.to_owned(), Value::from(value))),
        }
    }
}

fn tell_new(place: &Group<'_>, index: usize, nic: &Nic, story: &mut Story) {
    let filled = place.filled(nic);
    let value = |name: &str| filled.iter().find(|(known, _)| known == name).map(|(_, value)| shown(value)).unwrap_or_default();
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "None".to_owned());
    let name = format!("nic.{index}");
    let text = format!(
        "add:mac={},ip={},mode={},link={},network={}",
        nic.mac,
        or_none(nic.ip.clone()),
        value("mode"),
        value("link"),
        or_none(place.network_name(nic))
    );
    story.tell(&name, text);
    story.plug(&name, Action::Add, Device::Nic(nic.clone()));
}

fn tell_changed(place: &Group<'_>, index: usize, old: &Nic, new: &Nic, request: &NicParamsRequest, story: &mut Story) {
    if request.is_set(NicParam::Mac) || old.mac != new.mac {
        story.tell(format!("nic.mac/{index}"), new.mac.as_str());
    }
    if request.is_set(NicParam::Ip) {
        story.tell(format!("nic.ip/{index}"), new.ip.clone());
    }
    if request.is_set(NicParam::Name) {
        story.tell(format!("nic.name/{index}"), new.name.clone());
    }
    if old.network != new.network {
        story.tell(format!("nic.network/{index}"), place.network_name(new));
    }
    for (name, value) in place.filled(new) {
        story.tell(format!("nic.{name}/{index}"), value);
    }
    story.plug(format!("nic/{index}"), Action::Modify, Device::Nic(new.clone()));
}
