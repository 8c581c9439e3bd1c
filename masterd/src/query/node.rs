//! Nodes.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use gannet_core::config::{Config, Instance, Node, NodeGroup, ParamMap};
use gannet_core::error::WireError;
use gannet_core::id::NodeUuid;
use gannet_core::param::fill;
use gannet_core::query::Resource;
use gannet_proto::node::{NodeInfoReply, StorageSpace};

use super::cell::Cell;
use super::live::Answers;
use super::member::{self, Described, Members};
use super::table::{Plan, Request, Table};
use crate::master::Master;

/// Nodes and what is needed for their fields.
pub(crate) struct Nodes<'a> {
    config: &'a Config,
    live: Option<&'a Answers<NodeInfoReply>>,
    members: Option<&'a Members>,
    secondaries: OnceCell<HashMap<&'a NodeUuid, Vec<&'a Instance>>>,
}

/// A field of nodes.
pub(crate) enum Column<'a> {
    Get(fn(&Nodes<'a>, &'a Node) -> Cell<'a>),
    Ndp(String),
    Live(fn(&'a NodeInfoReply) -> Cell<'a>),
    Member(fn(&'a Described) -> Cell<'a>),
}

impl<'a> Nodes<'a> {
    /// Nodes of `config`, with what they said if they were asked, and the members of the state's group.
    pub(crate) fn new(config: &'a Config, live: Option<&'a Answers<NodeInfoReply>>, members: Option<&'a Members>) -> Self {
        Self { config, live, members, secondaries: OnceCell::new() }
    }

    fn group(&self, node: &Node) -> Option<&'a NodeGroup> {
        self.config.group(&node.group).map(Arc::as_ref)
    }

    fn ndparams(&self, node: &Node) -> ParamMap {
        let none = ParamMap::new();
        let group = self.group(node).map_or(&none, |group| &group.ndparams);
        fill::nd(&self.config.cluster().ndparams, group, &node.ndparams).into_inner().0
    }

    fn primaries(&self, node: &Node) -> Vec<&'a Instance> {
        self.config.primary_instances(&node.uuid).map(Arc::as_ref).collect()
    }

    /// One walk over all instances serves all nodes.
    fn secondaries(&self, node: &Node) -> &[&'a Instance] {
        let all = self.secondaries.get_or_init(|| {
            let mut all: HashMap<&NodeUuid, Vec<&Instance>> = HashMap::new();
            for instance in self.config.instances() {
                for node in self.config.secondary_nodes(instance) {
                    all.entry(node).or_default().push(instance);
                }
            }
            all
        });
        all.get(&node.uuid).map_or(&[], Vec::as_slice)
    }

    fn powered(&self, node: &'a Node) -> Cell<'a> {
        // Ganeti: without an out-of-band program nobody can know.
        match self.ndparams(node).get("oob_program").and_then(serde_json::Value::as_str) {
            None | Some("") => Cell::UNAVAIL,
            Some(_) => node.powered.into(),
        }
    }
}

fn names<'a>(instances: &[&'a Instance]) -> Cell<'a> {
    let mut names: Vec<&str> = instances.iter().map(|instance| instance.name.as_str()).collect();
    super::sort_nicely(&mut names, |name| name);
    Cell::texts(names)
}

fn states<'a>(states: &'a std::collections::BTreeMap<String, serde_json::Value>) -> Cell<'a> {
    if states.is_empty() { Cell::UNAVAIL } else { Cell::json(states) }
}

impl<'a> Table<'a> for Nodes<'a> {
    type Row = &'a Node;
    type Column = Column<'a>;

    const RESOURCE: Resource = Resource::Node;

    fn column(name: &str) -> Option<Column<'a>> {
        if let Some(param) = name.strip_prefix("ndp/") {
            return gannet_core::query::field::find(Resource::Node, name).map(|_| Column::Ndp(param.to_owned()));
        }
        live(name).map(Column::Live).or_else(|| of_member(name).map(Column::Member)).or_else(|| plain(name).map(Column::Get))
    }

    fn cell(&self, row: &'a Node, column: &Column<'a>) -> Cell<'a> {
        match column {
            Column::Get(get) => get(self, row),
            Column::Ndp(name) => Cell::or_unavail(self.ndparams(row).remove(name)),
            Column::Live(get) => match self.live {
                None => Cell::Pending,
                Some(_) if row.offline => Cell::OFFLINE,
                Some(_) if !row.vm_capable => Cell::UNAVAIL,
                Some(live) => live.get(&row.uuid).map_or(Cell::NO_DATA, |info| get(info)),
            },
            Column::Member(get) => match self.members {
                None => Cell::NO_DATA,
                Some(members) => members.of(row.name.as_str()).map_or(Cell::UNAVAIL, get),
            },
        }
    }
}

fn plain<'a>(name: &str) -> Option<fn(&Nodes<'a>, &'a Node) -> Cell<'a>> {
    Some(match name {
        "ctime" => |_, n| n.stamps.ctime.into(),
        "custom_ndparams" => |_, n| Cell::Params(&n.ndparams),
        "disk_state" => |_, n| states(&n.disk_state_static),
        "drained" => |_, n| n.drained.into(),
        "group" => |t, n| Cell::or_no_data(t.group(n).map(|group| group.name.as_str())),
        "group.uuid" => |_, n| n.group.as_str().into(),
        "hv_state" => |_, n| states(&n.hv_state_static),
        "master" => |t, n| (n.uuid == t.config.cluster().master_node).into(),
        "master_candidate" => |_, n| n.master_candidate.into(),
        "master_capable" => |_, n| n.master_capable.into(),
        "mtime" => |_, n| n.stamps.mtime.into(),
        "name" => |_, n| n.name.as_str().into(),
        "ndparams" => |t, n| Cell::json(t.ndparams(n)),
        "offline" => |_, n| n.offline.into(),
        "pinst_cnt" => |t, n| t.config.primary_instances(&n.uuid).count().into(),
        "pinst_list" => |t, n| names(&t.primaries(n)),
        "pip" => |_, n| n.primary_ip.as_str().into(),
        "powered" => Nodes::powered,
        "role" => |t, n| n.role(&t.config.cluster().master_node).letter().into(),
        "serial_no" => |_, n| n.stamps.serial_no.into(),
        "sinst_cnt" => |t, n| t.secondaries(n).len().into(),
        "sinst_list" => |t, n| names(t.secondaries(n)),
        "sip" => |_, n| n.secondary_ip.as_str().into(),
        "tags" => |_, n| Cell::Tags(&n.tags),
        "uuid" => |_, n| n.uuid.as_str().into(),
        "vm_capable" => |_, n| n.vm_capable.into(),
        _ => return None,
    })
}

fn live<'a>(name: &str) -> Option<fn(&'a NodeInfoReply) -> Cell<'a>> {
    /// Zero means that the node does not know.
    fn known<'a>(number: u32) -> Cell<'a> {
        if number == 0 { Cell::NO_DATA } else { number.into() }
    }
    Some(match name {
        "bootid" => |info| Cell::or_no_data(Some(info.boot_id.as_str()).filter(|id| !id.is_empty())),
        "cnodes" => |info| known(info.cpu_nodes),
        "cnos" => |info| info.cpu_dom0.into(),
        "csockets" => |info| known(info.cpu_sockets),
        "ctotal" => |info| known(info.cpu_total),
        "dfree" => |info| Cell::or_no_data(space(info).map(|space| space.free_mib)),
        "dtotal" => |info| Cell::or_no_data(space(info).map(|space| space.total_mib)),
        "mfree" => |info| info.memory_free_mib.into(),
        "mnode" => |info| info.memory_dom0_mib.into(),
        "mtotal" => |info| info.memory_total_mib.into(),
        // Spindles are counted with exclusive storage of LVM only, which nodes do not report yet.
        "spfree" | "sptotal" => |_| Cell::NO_DATA,
        _ => return None,
    })
}

fn of_member<'a>(name: &str) -> Option<fn(&'a Described) -> Cell<'a>> {
    Some(match name {
        "store.lag" => |member| Cell::or_no_data(member.lag),
        "store.role" => |member| member.role.into(),
        "store.term" => |member| Cell::or_no_data(member.term),
        _ => return None,
    })
}

/// The space that counts as the node's: that of the first enabled disk template which has some.
fn space(info: &NodeInfoReply) -> Option<&StorageSpace> {
    info.storage.iter().find(|space| space.error.is_empty())
}

/// Answers a request about nodes.
///
/// # Errors
/// A name that does not exist, or a filter that cannot be applied.
pub(crate) async fn answer(master: &Master, request: &Request<'_>) -> Result<String, WireError> {
    let state = master.store().state();
    let config = &state.config;
    let (rows, named) = match request.names(Resource::Node) {
        Some(names) if !names.is_empty() => {
            let found = names.into_iter().map(|name| Ok(config.find_node(&super::name_text(name))?.as_ref()));
            (found.collect::<Result<Vec<&Node>, WireError>>()?, true)
        }
        _ => {
            let mut all: Vec<&Node> = config.nodes().map(Arc::as_ref).collect();
            super::sort_nicely(&mut all, |node| node.name.as_str());
            (all, false)
        }
    };
    let request = if named { &request.unfiltered() } else { request };
    let members = if request.uses(&member::FIELDS) { Members::ask(master, config).await } else { None };
    let members = members.as_ref();
    let rows = select(&Nodes::new(config, None, members), request, rows)?;
    if !request.is_live(Resource::Node) {
        return write(&Nodes::new(config, None, members), request, &rows);
    }
    let asked: Vec<&Arc<Node>> = rows.iter().filter(|node| node.vm_capable).filter_map(|node| config.node(&node.uuid)).collect();
    let live = master.live().facts(master.nodes(), config, &asked).await;
    let table = Nodes::new(config, Some(&live), members);
    let rows = select(&table, request, rows)?;
    write(&table, request, &rows)
}

/// The rows that a request's filter lets through.
pub(crate) fn select<'a>(table: &Nodes<'a>, request: &Request<'_>, rows: Vec<&'a Node>) -> Result<Vec<&'a Node>, WireError> {
    Plan::new::<Nodes<'a>>(request)?.select(table, rows)
}

/// The text of the answer.
pub(crate) fn write<'a>(table: &Nodes<'a>, request: &Request<'_>, rows: &[&'a Node]) -> Result<String, WireError> {
    Ok(Plan::new::<Nodes<'_>>(request)?.answer(table, rows))
}
