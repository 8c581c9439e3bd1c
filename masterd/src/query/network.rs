//! Networks.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use gannet_core::config::{Config, Network, NodeGroup, ParamMap};
use gannet_core::error::WireError;
use gannet_core::id::NetworkUuid;
use gannet_core::param::fill;
use gannet_core::query::Resource;

use super::cell::Cell;
use super::table::{Plan, Request, Table};

/// Networks and what is needed for their fields.
pub(crate) struct Networks<'a> {
    config: &'a Config,
    users: OnceCell<HashMap<&'a NetworkUuid, Vec<&'a str>>>,
}

/// A field of networks.
pub(crate) struct Column<'a>(fn(&Networks<'a>, &'a Network) -> Cell<'a>);

impl<'a> Networks<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self { config, users: OnceCell::new() }
    }

    /// Names of the instances with a NIC in the network, each once. One walk over all instances serves all networks.
    fn users(&self, network: &Network) -> &[&'a str] {
        let all = self.users.get_or_init(|| {
            let mut all: HashMap<&NetworkUuid, Vec<&str>> = HashMap::new();
            for instance in self.config.instances() {
                for network in instance.nics.iter().filter_map(|nic| nic.network.as_ref()) {
                    let names = all.entry(network).or_default();
                    if names.last() != Some(&instance.name.as_str()) {
                        names.push(instance.name.as_str());
                    }
                }
            }
            all.values_mut().for_each(|names| super::sort_nicely(names, |name| name));
            all
        });
        all.get(&network.uuid).map_or(&[], Vec::as_slice)
    }

    fn groups(&self, network: &'a Network) -> impl Iterator<Item = (&'a NodeGroup, &'a ParamMap)> + use<'a> {
        let mut groups: Vec<_> =
            self.config.groups().filter_map(|group| Some((group.as_ref(), group.networks.get(&network.uuid)?))).collect();
        super::sort_nicely(&mut groups, |(group, _)| group.name.as_str());
        groups.into_iter()
    }

    /// Name, mode, link and VLAN of each connected group.
    fn group_list(&self, network: &'a Network) -> Cell<'a> {
        let row = |(group, own): (&'a NodeGroup, &ParamMap)| {
            let filled = fill::nic(&self.config.cluster().nicparams, Some(own), &ParamMap::new()).into_inner().0;
            let text = |name: &str| filled.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
            (group.name.as_str(), text("mode"), text("link"), text("vlan"))
        };
        Cell::json(self.groups(network).map(row).collect::<Vec<_>>())
    }
}

/// One sign per address: `X` used or reserved, `.` free. `None` without an address pool.
fn map(network: &Network) -> Option<String> {
    let used = network.reservations.as_deref()?.bytes();
    let reserved = network.ext_reservations.as_deref().unwrap_or_default().bytes().chain(std::iter::repeat(b'0'));
    Some(used.zip(reserved).map(|pair| if pair == (b'0', b'0') { '.' } else { 'X' }).collect())
}

fn count(network: &Network, sign: char) -> Option<usize> {
    map(network).map(|map| map.chars().filter(|&found| found == sign).count())
}

/// The addresses that are kept from use, as a text.
fn external(network: &Network) -> Option<String> {
    let first: Ipv4Addr = network.network.split('/').next()?.parse().ok()?;
    let reserved = network.ext_reservations.as_deref()?.bytes().enumerate().filter(|(_, bit)| *bit == b'1');
    let address = |(offset, _)| Some(Ipv4Addr::from(u32::from(first).checked_add(u32::try_from(offset).ok()?)?).to_string());
    Some(reserved.filter_map(address).collect::<Vec<_>>().join(", "))
}

impl<'a> Table<'a> for Networks<'a> {
    type Row = &'a Network;
    type Column = Column<'a>;

    const RESOURCE: Resource = Resource::Network;

    fn column(name: &str) -> Option<Column<'a>> {
        plain(name).map(Column)
    }

    fn cell(&self, row: &'a Network, column: &Column<'a>) -> Cell<'a> {
        (column.0)(self, row)
    }
}

fn plain<'a>(name: &str) -> Option<fn(&Networks<'a>, &'a Network) -> Cell<'a>> {
    Some(match name {
        "ctime" => |_, n| n.stamps.ctime.into(),
        "external_reservations" => |_, n| Cell::or_unavail(external(n)),
        "free_count" => |_, n| Cell::or_unavail(count(n, '.')),
        "gateway" => |_, n| Cell::or_unavail(n.gateway.as_deref()),
        "gateway6" => |_, n| Cell::or_unavail(n.gateway6.as_deref()),
        "group_cnt" => |t, n| t.groups(n).count().into(),
        "group_list" => Networks::group_list,
        "inst_cnt" => |t, n| t.users(n).len().into(),
        "inst_list" => |t, n| Cell::texts(t.users(n).iter().copied()),
        "mac_prefix" => |_, n| Cell::or_unavail(n.mac_prefix.as_deref()),
        "map" => |_, n| Cell::or_unavail(map(n)),
        "mtime" => |_, n| n.stamps.mtime.into(),
        "name" => |_, n| n.name.as_str().into(),
        "network" => |_, n| n.network.as_str().into(),
        "network6" => |_, n| Cell::or_unavail(n.network6.as_deref()),
        "reserved_count" => |_, n| Cell::or_unavail(count(n, 'X')),
        "serial_no" => |_, n| n.stamps.serial_no.into(),
        "tags" => |_, n| Cell::Tags(&n.tags),
        "uuid" => |_, n| n.uuid.as_str().into(),
        _ => return None,
    })
}

/// Answers a request about networks.
///
/// # Errors
/// A name that does not exist, or a filter that cannot be applied.
pub(crate) fn answer(config: &Config, request: &Request<'_>) -> Result<String, WireError> {
    let (rows, request) = match request.names(Resource::Network) {
        Some(names) if !names.is_empty() => {
            let found = names.into_iter().map(|name| Ok(config.find_network(&super::name_text(name))?.as_ref()));
            (found.collect::<Result<Vec<&Network>, WireError>>()?, &request.unfiltered())
        }
        _ => {
            let mut all: Vec<&Network> = config.networks().map(Arc::as_ref).collect();
            super::sort_nicely(&mut all, |network| network.name.as_str());
            (all, request)
        }
    };
    let (plan, table) = (Plan::new::<Networks<'_>>(request)?, Networks::new(config));
    let rows = plan.select(&table, rows)?;
    Ok(plan.answer(&table, &rows))
}
