//! A cluster from the answers of its master daemon, by RAPI or by LUXI.
//!
//! Both know the same fields, but RAPI nests parameters where LUXI has fields of their own. Here they are flat: `be/vcpus`,
//! `ndp/spindle_count`.

use std::collections::HashMap;

use gannet_core::param::{AllocPolicy, DiskTemplate};
use serde_json::{Map, Value};

use super::Error;
use super::object::Object;
use crate::cluster::Cluster;
use crate::group::Group;
use crate::id::{GroupId, NodeId};
use crate::instance::{Disk, Instance, Status};
use crate::node::Node;

/// Fields of node groups, for a query.
pub const GROUP_FIELDS: [&str; 5] = ["uuid", "name", "alloc_policy", "ipolicy", "tags"];
/// Fields of nodes.
pub const NODE_FIELDS: [&str; 18] = [
    "name",
    "mtotal",
    "mnode",
    "mfree",
    "dtotal",
    "dfree",
    "ctotal",
    "cnos",
    "offline",
    "drained",
    "vm_capable",
    "ndp/spindle_count",
    "group.uuid",
    "tags",
    "ndp/exclusive_storage",
    "sptotal",
    "spfree",
    "ndp/cpu_speed",
];
/// Fields of instances.
pub const INSTANCE_FIELDS: [&str; 14] = [
    "name",
    "disk_usage",
    "be/memory",
    "be/vcpus",
    "status",
    "pnode",
    "snodes",
    "tags",
    "be/auto_balance",
    "disk_template",
    "be/spindle_use",
    "disk.sizes",
    "disk.spindles",
    "forthcoming",
];

/// What the master daemon said; objects are flat.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// The node groups.
    pub groups: Vec<Map<String, Value>>,
    /// The nodes.
    pub nodes: Vec<Map<String, Value>>,
    /// The instances.
    pub instances: Vec<Map<String, Value>>,
    /// The cluster itself.
    pub info: Map<String, Value>,
}

impl Answers {
    /// From RAPI's bodies: `/2/groups?bulk=1`, `/2/nodes?bulk=1`, `/2/instances?bulk=1`, `/2/info`.
    ///
    /// # Errors
    /// One of them is not what it should be.
    pub fn from_rapi(groups: &str, nodes: &str, instances: &str, info: &str) -> Result<Self, Error> {
        let objects = |what: &str, body: &str| -> Result<Vec<Map<String, Value>>, Error> {
            let objects: Vec<Map<String, Value>> =
                serde_json::from_str(body).map_err(|error| Error::new(format!("Parsing {what} data: {error}")))?;
            Ok(objects.into_iter().map(flat).collect())
        };
        Ok(Self {
            groups: objects("group", groups)?,
            nodes: objects("node", nodes)?,
            instances: objects("instance", instances)?,
            info: serde_json::from_str(info).map_err(|error| Error::new(format!("Parsing cluster info: {error}")))?,
        })
    }

    /// From LUXI's answers to queries for these fields, and to `QueryClusterInfo`.
    ///
    /// # Errors
    /// One of them is not what it should be.
    pub fn from_luxi(groups: &Value, nodes: &Value, instances: &Value, info: Value) -> Result<Self, Error> {
        let Value::Object(info) = info else { return Err(Error::new("Cannot parse cluster info, not a JSON record")) };
        Ok(Self {
            groups: rows("group", &GROUP_FIELDS, groups)?,
            nodes: rows("node", &NODE_FIELDS, nodes)?,
            instances: rows("instance", &INSTANCE_FIELDS, instances)?,
            info,
        })
    }

    /// The cluster that they describe.
    ///
    /// # Errors
    /// Something is missing, or does not fit together.
    pub fn cluster(&self) -> Result<Cluster, Error> {
        self.read().map_err(Error::new)
    }

    fn read(&self) -> Result<Cluster, String> {
        let info = Object::new("Parsing cluster data", &self.info);
        let mut cluster = Cluster { tags: info.texts("tags")?, policy: info.policy("ipolicy")?, ..Cluster::default() };
        let mut groups = HashMap::new();
        for fields in &self.groups {
            let group = group(fields)?;
            groups.insert(group.uuid.clone(), GroupId::new(cluster.groups.len()));
            cluster.groups.push(group);
        }
        let kvm = info.text("default_hypervisor")? == "kvm";
        let mut nodes = HashMap::new();
        for fields in &self.nodes {
            let node = Node { is_kvm: kvm, ..node(fields, &groups)? };
            nodes.insert(node.name.clone(), NodeId::new(cluster.nodes.len()));
            cluster.nodes.push(node);
        }
        for fields in &self.instances {
            cluster.instances.push(instance(fields, &nodes)?);
        }
        let master = info.text("master")?;
        let id = nodes.get(master).ok_or_else(|| format!("Master node {master} unknown"))?;
        cluster.nodes[id.at()].master = true;
        Ok(cluster)
    }
}

/// Brings the parameters that RAPI nests to the top.
fn flat(mut object: Map<String, Value>) -> Map<String, Value> {
    for (key, prefix) in [("beparams", "be/"), ("ndparams", "ndp/")] {
        if let Some(Value::Object(nested)) = object.remove(key) {
            object.extend(nested.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)));
        }
    }
    object
}

/// Rows of `[status, value]` as objects; what has no value is left out.
fn rows(what: &str, names: &[&str], answer: &Value) -> Result<Vec<Map<String, Value>>, Error> {
    let wrong = || Error::new(format!("Parsing {what} data: not the answer to a query"));
    let cell = |(name, cell): (&&str, &Value)| -> Result<Option<(String, Value)>, Error> {
        let [status, value] = cell.as_array().map(Vec::as_slice).unwrap_or_default() else { return Err(wrong()) };
        Ok((status.as_u64() == Some(0)).then(|| ((*name).to_owned(), value.clone())))
    };
    let row = |row: &Value| -> Result<Map<String, Value>, Error> {
        let cells = row.as_array().filter(|cells| cells.len() == names.len()).ok_or_else(wrong)?;
        names.iter().zip(cells).filter_map(|pair| cell(pair).transpose()).collect()
    };
    answer.get("data").and_then(Value::as_array).ok_or_else(wrong)?.iter().map(row).collect()
}

fn group(fields: &Map<String, Value>) -> Result<Group, String> {
    let name = Object::new("Parsing new group", fields).text("name")?;
    let object = Object::new(format!("Group '{name}'"), fields);
    Ok(Group {
        name: name.to_owned(),
        uuid: object.text("uuid")?.to_owned(),
        alloc_policy: object.parsed::<AllocPolicy>("alloc_policy")?,
        networks: Vec::new(),
        policy: object.policy("ipolicy")?,
        tags: object.texts("tags")?,
    })
}

fn node(fields: &Map<String, Value>, groups: &HashMap<String, GroupId>) -> Result<Node, String> {
    let name = Object::new("Parsing new node", fields).text("name")?;
    let object = Object::new(format!("Node '{name}'"), fields);
    let uuid = object.text("group.uuid")?;
    let group = groups.get(uuid).ok_or_else(|| format!("Unknown group '{uuid}' for node {name}"))?;
    let mut node = Node::new(name, *group);
    let live = !object.truth("offline")? && object.get("vm_capable").and_then(Value::as_bool) != Some(false);
    node.offline = !live || object.truth("drained")?;
    node.exclusive_storage = object.truth("ndp/exclusive_storage")?;
    node.tags = object.texts("tags")?;
    if object.get("ndp/cpu_speed").is_some() {
        node.cpu_speed = object.real("ndp/cpu_speed")?;
    }
    if !node.exclusive_storage {
        node.spindles = object.whole("ndp/spindle_count")?;
    }
    if !live {
        return Ok(node);
    }
    let known = |key: &str| {
        let hint = |error| format!("{error}; if the node does not answer, mark it as offline (gnt-node modify -O yes {name})");
        object.need(key).map_err(hint)
    };
    known("mtotal")?;
    node.total_memory = object.real("mtotal")?;
    node.node_memory = object.whole("mnode")?;
    node.free_memory = object.whole("mfree")?;
    node.cpus = object.real("ctotal")?;
    node.node_cpus = object.whole("cnos")?;
    // These are not known where no storage of the node itself is in use.
    node.total_disk = if object.get("dtotal").is_some() { object.real("dtotal")? } else { 0.0 };
    let or_none = |key: &str| if object.get(key).is_some() { object.whole(key) } else { Ok(0) };
    node.free_disk = or_none("dfree")?;
    node.free_spindles = or_none("spfree")?;
    if node.exclusive_storage {
        node.spindles = object.whole("sptotal")?;
    }
    Ok(node)
}

fn instance(fields: &Map<String, Value>, nodes: &HashMap<String, NodeId>) -> Result<Instance, String> {
    let name = Object::new("Parsing new instance", fields).text("name")?;
    let object = Object::new(format!("Instance '{name}'"), fields);
    let find = |node: &str| nodes.get(node).copied().ok_or_else(|| format!("Unknown node '{node}' for instance {name}"));
    let sizes = object.numbers("disk.sizes")?.into_iter().flatten();
    let spindles = object.numbers("disk.spindles")?;
    let disks = sizes.zip(spindles).map(|(size, spindles)| Disk { size, spindles }).collect();
    let mut instance = Instance::new(name, object.parsed::<DiskTemplate>("disk_template")?, disks);
    instance.disk = object.whole("disk_usage")?;
    instance.memory = memory(&object)?;
    instance.vcpus = object.whole("be/vcpus")?;
    let status = object.text("status")?;
    instance.status = Status::parse(status).ok_or_else(|| format!("Instance '{name}': invalid status '{status}'"))?;
    instance.auto_balance = object.truth("be/auto_balance")?;
    instance.tags = object.texts("tags")?;
    instance.spindle_use = object.whole("be/spindle_use")?;
    instance.forthcoming = object.get("forthcoming").and_then(Value::as_bool).unwrap_or(false);
    instance.primary = find(object.text("pnode")?)?;
    instance.secondary = object.texts("snodes")?.first().map(|node| find(node)).transpose()?;
    if instance.secondary == Some(instance.primary) {
        return Err(format!("Instance {name} has same primary and secondary node"));
    }
    Ok(instance)
}

/// RAPI: what a running instance has, else what it may have. LUXI has one field for it.
fn memory(object: &Object<'_>) -> Result<i64, String> {
    let number = |key: &str| object.get(key).filter(|value| value.is_number()).map(|_| object.whole(key));
    number("oper_ram").or_else(|| number("be/memory")).unwrap_or_else(|| object.whole("be/maxmem"))
}
