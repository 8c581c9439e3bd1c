//! Instances.

mod nic;
mod status;
mod texts;

use std::cell::RefCell;
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use gannet_core::config::{Config, Disk, Instance, Node, NodeGroup, ParamMap};
use gannet_core::error::WireError;
use gannet_core::param::{HvLayers, HypervisorKind, fill, hv};
use gannet_core::query::field::{canonical_name, split_number};
use gannet_core::query::{Filter, FilterValue, Resource};
use serde_json::Value;

use super::cell::Cell;
use super::layer::{Layer, Layered};
use super::live::Guests;
use super::table::{Plan, Request, Style, Table};
use crate::master::Master;

pub(crate) use nic::NicField;
pub(crate) use status::runs;
pub(crate) use texts::Texts;

/// Extra space of a DRBD disk for its metadata, in MiB.
const DRBD_META_MIB: u64 = 128;

/// Above so many instances only their primary nodes are asked. In a long list each secondary node is somebody's primary
/// node anyway; for a short one it is worth the question, since that is where a guest is after a half-done failover.
const ASK_SECONDARIES_UP_TO: usize = 64;

/// Instances and what is needed for their fields.
pub(crate) struct Instances<'a> {
    config: &'a Config,
    live: Option<&'a Guests>,
    hv: RefCell<HashMap<(&'a str, &'a str), Arc<Layer>>>,
    be: RefCell<Option<Arc<Layer>>>,
    nic: RefCell<HashMap<nic::Connection<'a>, Arc<Layer>>>,
    /// What was last seen, and of which instance: the live fields of a row all ask for it.
    seen: std::cell::Cell<Option<(*const Instance, status::Seen<'a>)>>,
}

/// A field of instances.
pub(crate) enum Column<'a> {
    Get(fn(&Instances<'a>, &'a Instance) -> Cell<'a>),
    Be(String),
    Hv(String),
    Nics(NicField),
    Nic(NicField, usize),
    Disk(fn(&'a Disk) -> Cell<'a>, usize),
}

impl<'a> Instances<'a> {
    /// Instances of `config`, with what nodes said of them if they were asked.
    pub(crate) fn new(config: &'a Config, live: Option<&'a Guests>) -> Self {
        Self { config, live, hv: RefCell::default(), be: RefCell::default(), nic: RefCell::default(), seen: std::cell::Cell::default() }
    }

    fn pnode(&self, instance: &Instance) -> Option<&'a Node> {
        self.config.node(&instance.primary_node).map(Arc::as_ref)
    }

    fn group_of(&self, node: Option<&Node>) -> Option<&'a NodeGroup> {
        self.config.group(&node?.group).map(Arc::as_ref)
    }

    fn snodes(&self, instance: &'a Instance) -> impl Iterator<Item = &'a Node> + use<'a> {
        let config = self.config;
        config.secondary_nodes(instance).filter_map(|uuid| config.node(uuid).map(Arc::as_ref))
    }

    fn disks(&self, instance: &'a Instance) -> impl Iterator<Item = &'a Disk> + use<'a> {
        self.config.disks_of(instance).map(Arc::as_ref)
    }

    /// Backend parameters in effect; a tree when the instance uses the old name `memory`.
    fn be(&self, instance: &'a Instance) -> Result<Layered<'a>, ParamMap> {
        if instance.beparams.contains_key(gannet_core::param::be::MEMORY_ALIAS) {
            return Err(fill::be(&self.config.cluster().beparams, &instance.beparams).into_inner().0);
        }
        let mut base = self.be.borrow_mut();
        let base = base.get_or_insert_with(|| Layer::new(fill::be(&self.config.cluster().beparams, &ParamMap::new()).into_inner().0));
        Ok(Layered::new(base.clone(), &instance.beparams, &[]))
    }

    /// As RAPI shows them: the older name `memory` is there too.
    fn beparams_with_memory(&self, instance: &'a Instance) -> Cell<'a> {
        use gannet_core::param::be::MEMORY_ALIAS;
        match self.be(instance) {
            Ok(layered) => Cell::Layered(layered.with_alias(MEMORY_ALIAS, "maxmem")),
            Err(mut params) => {
                if let Some(memory) = params.get("maxmem").cloned() {
                    params.insert(MEMORY_ALIAS.to_owned(), memory);
                }
                Cell::json(params)
            }
        }
    }

    fn be_value(&self, instance: &'a Instance, name: &str) -> Option<Value> {
        match self.be(instance) {
            Ok(layered) => layered.get(name).cloned(),
            Err(params) => params.get(name).cloned(),
        }
    }

    /// Hypervisor parameters in effect.
    fn hv(&self, instance: &'a Instance) -> Layered<'a> {
        let mut layers = self.hv.borrow_mut();
        let layer = layers.entry((instance.hypervisor.as_str(), instance.os.as_str())).or_insert_with(|| {
            let cluster = self.config.cluster();
            let none = ParamMap::new();
            let from = HvLayers { cluster: &cluster.hvparams, os_hvp: &cluster.os_hvp, os: Some(&instance.os), instance: &none };
            // A hypervisor that this version does not know has only what the instance says.
            Layer::new(HypervisorKind::from_str(&instance.hypervisor).map(|kind| fill::hv(kind, from).into_inner().0).unwrap_or_default())
        });
        Layered::new(layer.clone(), &instance.hvparams, hv::CLUSTER_ONLY)
    }

    fn osparams(&self, instance: &'a Instance) -> Cell<'a> {
        let cluster = &self.config.cluster().osparams;
        let base = instance.os.split('+').next().unwrap_or_default();
        let outer: Vec<_> = [cluster.get(base), cluster.get(&instance.os).filter(|_| base != instance.os)].into_iter().flatten().collect();
        if outer.is_empty() {
            return Cell::TextMap(&instance.osparams);
        }
        let mut filled = outer.into_iter().fold(std::collections::BTreeMap::new(), |mut filled, layer| {
            filled.extend(layer.clone());
            filled
        });
        filled.extend(instance.osparams.clone());
        Cell::json(filled)
    }

    fn disk_usage(&self, instance: &'a Instance) -> u64 {
        let size = |disk: &Disk| match disk.dev_type.as_str() {
            "drbd" | "drbd8" => disk.size.0 + DRBD_META_MIB,
            // Somebody else's device, of which the cluster takes nothing.
            "blockdev" => 0,
            _ => disk.size.0,
        };
        self.disks(instance).map(size).sum()
    }
}

impl<'a> Table<'a> for Instances<'a> {
    type Row = &'a Instance;
    type Column = Column<'a>;

    const RESOURCE: Resource = Resource::Instance;

    fn object_column(name: &str) -> Option<Column<'a>> {
        if name == "beparams" {
            return Some(Column::Get(Instances::beparams_with_memory));
        }
        Self::column(name)
    }

    fn column(name: &str) -> Option<Column<'a>> {
        let name = canonical_name(name);
        if let Some(param) = name.strip_prefix("be/") {
            return gannet_core::query::field::find(Resource::Instance, name).map(|_| Column::Be(param.to_owned()));
        }
        if let Some(param) = name.strip_prefix("hv/") {
            return gannet_core::query::field::find(Resource::Instance, name).map(|_| Column::Hv(param.to_owned()));
        }
        if let Some(field) = NicField::of_list(name) {
            return Some(Column::Nics(field));
        }
        if let Some((family, number)) = split_number(name) {
            gannet_core::query::field::find(Resource::Instance, name)?;
            return NicField::of_one(family).map(|field| Column::Nic(field, number)).or_else(|| Some(Column::Disk(disk(family)?, number)));
        }
        plain(name).map(Column::Get)
    }

    fn cell(&self, row: &'a Instance, column: &Column<'a>) -> Cell<'a> {
        match column {
            Column::Get(get) => get(self, row),
            Column::Be(name) => Cell::or_unavail(self.be_value(row, name)),
            Column::Hv(name) => Cell::or_unavail(self.hv(row).get(name).cloned()),
            Column::Nics(field) => Cell::Texts(row.nics.iter().map(|nic| self.nic_text(row, nic, *field)).collect()),
            Column::Nic(field, number) => Cell::or_unavail(row.nics.get(*number).and_then(|nic| self.nic_text(row, nic, *field))),
            Column::Disk(get, number) => self.disks(row).nth(*number).map_or(Cell::UNAVAIL, get),
        }
    }
}

/// A field of one disk.
fn disk<'a>(family: &str) -> Option<fn(&'a Disk) -> Cell<'a>> {
    Some(match family {
        "disk.name" => |disk| Cell::or_unavail(disk.name.as_deref()),
        "disk.size" => |disk| disk.size.0.into(),
        "disk.spindles" => |disk| Cell::or_unavail(disk.spindles),
        "disk.uuid" => |disk| disk.uuid.as_str().into(),
        _ => return None,
    })
}

/// Every field without a number and without a family.
fn plain<'a>(name: &str) -> Option<fn(&Instances<'a>, &'a Instance) -> Cell<'a>> {
    Some(match name {
        "admin_state" => |_, i| i.admin_state.as_str().into(),
        "admin_state_source" => |_, i| i.admin_state_source.as_str().into(),
        "admin_up" => |_, i| (i.admin_state == gannet_core::config::AdminState::Up).into(),
        "beparams" => |t, i| t.be(i).map_or_else(Cell::json, Cell::Layered),
        "console" => Instances::console,
        "ctime" => |_, i| i.stamps.ctime.into(),
        "custom_beparams" => |_, i| Cell::Params(&i.beparams),
        "custom_hvparams" => |_, i| Cell::Params(&i.hvparams),
        "custom_nicparams" => |_, i| Cell::json(i.nics.iter().map(|nic| &nic.nicparams).collect::<Vec<_>>()),
        "custom_osparams" => |_, i| Cell::TextMap(&i.osparams),
        "disk.count" => |_, i| i.disks.len().into(),
        "disk.names" => |t, i| Cell::Texts(t.disks(i).map(|disk| disk.name.as_deref().map(Into::into)).collect()),
        "disk.sizes" => |t, i| Cell::Uints(t.disks(i).map(|disk| Some(disk.size.0)).collect()),
        "disk.spindles" => |t, i| Cell::Uints(t.disks(i).map(|disk| disk.spindles.map(u64::from)).collect()),
        "disk.uuids" => |_, i| Cell::texts(i.disks.iter().map(|uuid| uuid.as_str())),
        "disk_template" => |t, i| t.config.disk_template(i).into(),
        "disk_usage" => |t, i| t.disk_usage(i).into(),
        "disks_active" => |_, i| i.disks_active.into(),
        "forthcoming" => |_, i| i.forthcoming.into(),
        "hvparams" => |t, i| Cell::Layered(t.hv(i)),
        "hypervisor" => |_, i| i.hypervisor.as_str().into(),
        "mtime" => |_, i| i.stamps.mtime.into(),
        "name" => |_, i| i.name.as_str().into(),
        "network_port" => |_, i| Cell::or_unavail(i.network_port),
        "nic.count" => |_, i| i.nics.len().into(),
        "oper_ram" => |t, i| t.oper(i, |info| info.memory_mib.into()),
        "oper_state" => Instances::oper_state,
        "oper_vcpus" => |t, i| t.oper(i, |info| info.vcpus.into()),
        "os" => |_, i| i.os.as_str().into(),
        "osparams" => Instances::osparams,
        "pnode" => |t, i| Cell::or_no_data(t.pnode(i).map(|node| node.name.as_str())),
        "pnode.group" => |t, i| Cell::or_no_data(t.group_of(t.pnode(i)).map(|group| group.name.as_str())),
        "pnode.group.uuid" => |t, i| Cell::or_no_data(t.pnode(i).map(|node| node.group.as_str())),
        "serial_no" => |_, i| i.stamps.serial_no.into(),
        "snodes" => |t, i| Cell::texts(t.snodes(i).map(|node| node.name.as_str())),
        "snodes.group" => |t, i| Cell::texts(t.snodes(i).filter_map(|node| Some(t.group_of(Some(node))?.name.as_str()))),
        "snodes.group.uuid" => |t, i| Cell::texts(t.snodes(i).map(|node| node.group.as_str())),
        "status" => Instances::status,
        "tags" => |_, i| Cell::Tags(&i.tags),
        "uuid" => |_, i| i.uuid.as_str().into(),
        _ => return None,
    })
}

/// The instances that a request is about before its filter is looked at: those with these names, or all, and whether they
/// were named.
///
/// # Errors
/// A name that does not exist.
pub(crate) fn candidates<'a>(config: &'a Config, names: Option<Vec<&FilterValue>>) -> Result<(Vec<&'a Instance>, bool), WireError> {
    match names {
        Some(names) if !names.is_empty() => {
            let find = |name: &&FilterValue| Ok(config.find_instance(&super::name_text(name))?.as_ref());
            Ok((names.iter().map(find).collect::<Result<_, WireError>>()?, true))
        }
        _ => {
            let mut all: Vec<&Instance> = config.instances().map(Arc::as_ref).collect();
            super::sort_nicely(&mut all, |instance| instance.name.as_str());
            Ok((all, false))
        }
    }
}

/// Answers a request about instances.
///
/// # Errors
/// A name that does not exist, or a filter that cannot be applied.
pub(crate) async fn answer(master: &Master, request: &Request<'_>) -> Result<String, WireError> {
    let state = master.store().state();
    let (rows, named) = candidates(&state.config, request.names(Resource::Instance))?;
    let unfiltered;
    let request = if named {
        unfiltered = request.unfiltered();
        &unfiltered
    } else {
        request
    };
    let rows = select(&state.config, None, request, rows)?;
    if !request.is_live(Resource::Instance) {
        return write(&state.config, None, request, &rows);
    }
    let mut nodes: Vec<&Arc<Node>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for instance in &rows {
        let secondaries = (rows.len() <= ASK_SECONDARIES_UP_TO).then(|| state.config.secondary_nodes(instance)).into_iter().flatten();
        for uuid in std::iter::once(&instance.primary_node).chain(secondaries) {
            if seen.insert(uuid) {
                nodes.extend(state.config.node(uuid));
            }
        }
    }
    let mut live = master.live().guests(master.nodes(), &state.config, &nodes).await;
    if request.uses(&["console"]) {
        live.ask_consoles(master.nodes(), &state.config, &rows).await;
    }
    if !named && request.style == Style::Objects && request.filter == Filter::Empty {
        return master.texts().answer(&state.config, Some(&live), request);
    }
    let rows = select(&state.config, Some(&live), request, rows)?;
    write(&state.config, Some(&live), request, &rows)
}

/// The rows that a request's filter lets through.
pub(crate) fn select<'a>(
    config: &'a Config,
    live: Option<&'a Guests>,
    request: &Request<'_>,
    rows: Vec<&'a Instance>,
) -> Result<Vec<&'a Instance>, WireError> {
    Plan::new::<Instances<'a>>(request)?.select(&Instances::new(config, live), rows)
}

/// The text of the answer.
pub(crate) fn write(config: &Config, live: Option<&Guests>, request: &Request<'_>, rows: &[&Instance]) -> Result<String, WireError> {
    Ok(Plan::new::<Instances<'_>>(request)?.answer(&Instances::new(config, live), rows))
}
