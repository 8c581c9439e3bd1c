//! Node groups.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use gannet_core::config::{AllocPolicy, Config, Node, NodeGroup, ParamMap};
use gannet_core::error::WireError;
use gannet_core::id::GroupUuid;
use gannet_core::param::ipolicy::PartialIPolicy;
use gannet_core::param::{DiskTemplate, fill};
use gannet_core::query::Resource;
use serde_json::Value;

use super::cell::Cell;
use super::table::{Plan, Request, Table};

/// Node groups and what is needed for their fields.
pub(crate) struct Groups<'a> {
    config: &'a Config,
    nodes: OnceCell<HashMap<&'a GroupUuid, Vec<&'a Node>>>,
}

/// A field of node groups.
pub(crate) enum Column<'a> {
    Get(fn(&Groups<'a>, &'a NodeGroup) -> Cell<'a>),
    Ndp(String),
}

impl<'a> Groups<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self { config, nodes: OnceCell::new() }
    }

    fn nodes(&self, group: &NodeGroup) -> &[&'a Node] {
        let all = self.nodes.get_or_init(|| {
            let mut all: HashMap<&GroupUuid, Vec<&Node>> = HashMap::new();
            for node in self.config.nodes() {
                all.entry(&node.group).or_default().push(node);
            }
            all
        });
        all.get(&group.uuid).map_or(&[], Vec::as_slice)
    }

    fn ndparams(&self, group: &NodeGroup) -> ParamMap {
        fill::nd(&self.config.cluster().ndparams, &group.ndparams, &ParamMap::new()).into_inner().0
    }

    fn instances(&self, group: &NodeGroup) -> Vec<&'a str> {
        self.nodes(group).iter().flat_map(|node| self.config.primary_instances(&node.uuid)).map(|instance| instance.name.as_str()).collect()
    }
}

/// Disk parameters of all templates in effect, given those of the cluster and of a group.
pub(crate) fn filled_disk_params(cluster: &BTreeMap<String, ParamMap>, group: &BTreeMap<String, ParamMap>) -> BTreeMap<String, ParamMap> {
    let of =
        |template: &DiskTemplate| (template.as_str().to_owned(), fill::disk(*template, cluster, group, &ParamMap::new()).into_inner().0);
    DiskTemplate::ALL.iter().map(of).collect()
}

/// The policy in effect, given that of the cluster and the part of a group. What cannot be read counts as nothing set.
pub(crate) fn filled_ipolicy(cluster: &Value, group: &Value) -> Value {
    let read = |value: &Value| serde_json::from_value::<PartialIPolicy>(value.clone()).unwrap_or_default();
    serde_json::to_value(fill::ipolicy(&read(cluster), &read(group))).unwrap_or_default()
}

fn sorted<'a>(mut names: Vec<&'a str>) -> Cell<'a> {
    super::sort_nicely(&mut names, |name| name);
    Cell::texts(names)
}

fn word(policy: AllocPolicy) -> &'static str {
    match policy {
        AllocPolicy::Preferred => "preferred",
        AllocPolicy::LastResort => "last_resort",
        AllocPolicy::Unallocable => "unallocable",
    }
}

impl<'a> Table<'a> for Groups<'a> {
    type Row = &'a NodeGroup;
    type Column = Column<'a>;

    const RESOURCE: Resource = Resource::Group;

    fn column(name: &str) -> Option<Column<'a>> {
        if let Some(param) = name.strip_prefix("ndp/") {
            return gannet_core::query::field::find(Resource::Group, name).map(|_| Column::Ndp(param.to_owned()));
        }
        plain(name).map(Column::Get)
    }

    fn cell(&self, row: &'a NodeGroup, column: &Column<'a>) -> Cell<'a> {
        match column {
            Column::Get(get) => get(self, row),
            Column::Ndp(name) => Cell::or_unavail(self.ndparams(row).remove(name)),
        }
    }
}

fn plain<'a>(name: &str) -> Option<fn(&Groups<'a>, &'a NodeGroup) -> Cell<'a>> {
    Some(match name {
        "alloc_policy" => |_, g| word(g.alloc_policy).into(),
        "ctime" => |_, g| g.stamps.ctime.into(),
        "custom_diskparams" => |_, g| Cell::json(&g.diskparams),
        "custom_ipolicy" => |_, g| (&g.ipolicy).into(),
        "custom_ndparams" => |_, g| Cell::Params(&g.ndparams),
        "diskparams" => |t, g| Cell::json(filled_disk_params(&t.config.cluster().diskparams, &g.diskparams)),
        "ipolicy" => |t, g| filled_ipolicy(&t.config.cluster().ipolicy, &g.ipolicy).into(),
        "mtime" => |_, g| g.stamps.mtime.into(),
        "name" => |_, g| g.name.as_str().into(),
        "ndparams" => |t, g| Cell::json(t.ndparams(g)),
        "node_cnt" => |t, g| t.nodes(g).len().into(),
        "node_list" => |t, g| sorted(t.nodes(g).iter().map(|node| node.name.as_str()).collect()),
        "pinst_cnt" => |t, g| t.instances(g).len().into(),
        "pinst_list" => |t, g| sorted(t.instances(g)),
        "serial_no" => |_, g| g.stamps.serial_no.into(),
        "tags" => |_, g| Cell::Tags(&g.tags),
        "uuid" => |_, g| g.uuid.as_str().into(),
        _ => return None,
    })
}

/// Answers a request about node groups.
///
/// # Errors
/// A name that does not exist, or a filter that cannot be applied.
pub(crate) fn answer(config: &Config, request: &Request<'_>) -> Result<String, WireError> {
    let (rows, request) = match request.names(Resource::Group) {
        Some(names) if !names.is_empty() => {
            let found = names.into_iter().map(|name| Ok(config.find_group(&super::name_text(name))?.as_ref()));
            (found.collect::<Result<Vec<&NodeGroup>, WireError>>()?, &request.unfiltered())
        }
        _ => {
            let mut all: Vec<&NodeGroup> = config.groups().map(Arc::as_ref).collect();
            super::sort_nicely(&mut all, |group| group.name.as_str());
            (all, request)
        }
    };
    let (plan, table) = (Plan::new::<Groups<'_>>(request)?, Groups::new(config));
    let rows = plan.select(&table, rows)?;
    Ok(plan.answer(&table, &rows))
}
