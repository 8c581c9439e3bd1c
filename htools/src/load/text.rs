//! The text format: sections of lines, separated by empty lines; fields separated by `|`, lists by `,`.

mod field;
mod policy;

use std::collections::HashMap;

use gannet_core::param::{AllocPolicy, DiskTemplate};

use super::{Error, number};
use crate::cluster::Cluster;
use crate::group::Group;
use crate::id::{GroupId, NodeId};
use crate::instance::{Disk, Instance, Status};
use crate::node::Node;
use crate::policy::Policy;
use field::Fields;

/// What to do with several instances of one name. Nothing in the format refers to instances, but a plan does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Repeated {
    /// The second one is an error.
    #[default]
    Refuse,
    /// They are different instances, as for the reference; for tools that only speak of nodes.
    Accept,
}

/// Reads a cluster.
///
/// # Errors
/// The first line that is wrong, and why.
pub fn parse(text: &str, repeated: Repeated) -> Result<Cluster, Error> {
    let sections = sections(text);
    let [groups, nodes, instances, tags, rest @ ..] = sections.as_slice() else {
        let count = sections.len();
        return Err(Error::new(format!("Invalid format of the input file: {count} sections instead of 4 or more")));
    };
    let mut cluster = Cluster::default();
    let mut group_of = Names::new("group");
    for line in groups {
        let group = group(&line.fields()).map_err(|message| line.wrong(message))?;
        group_of.add(&group.uuid, GroupId::new(cluster.groups.len())).map_err(|message| line.wrong(message))?;
        if cluster.groups.iter().any(|other| other.name == group.name) {
            return Err(line.wrong(format!("Duplicate group name '{}'", group.name)));
        }
        cluster.groups.push(group);
    }
    let mut node_of = Names::new("node");
    for line in nodes {
        let node = node(&line.fields(), &group_of).map_err(|message| line.wrong(message))?;
        node_of.add(&node.name, NodeId::new(cluster.nodes.len())).map_err(|message| line.wrong(message))?;
        cluster.nodes.push(node);
    }
    let mut seen = Names::new("instance");
    for line in instances {
        let instance = instance(&line.fields(), &node_of).map_err(|message| line.wrong(message))?;
        let added = seen.add(&instance.name, ());
        if repeated == Repeated::Refuse || instance.name.is_empty() {
            added.map_err(|message| line.wrong(message))?;
        }
        cluster.instances.push(instance);
    }
    cluster.tags = tags.iter().map(|line| line.text.to_owned()).collect();
    for line in rest.first().into_iter().flatten() {
        policy::read(&line.fields(), &mut cluster).map_err(|message| line.wrong(message))?;
    }
    Ok(cluster)
}

/// A line with its number, counted from 1.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    number: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn fields(&self) -> Fields<'a> {
        Fields::new(self.text)
    }

    fn wrong(&self, message: String) -> Error {
        Error::on_line(self.number, message)
    }
}

fn sections(text: &str) -> Vec<Vec<Line<'_>>> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    // What follows the last line end is not a line.
    if lines.last() == Some(&"") {
        lines.pop();
    }
    if lines.is_empty() {
        return Vec::new();
    }
    let mut sections = vec![Vec::new()];
    for (at, text) in lines.into_iter().enumerate() {
        if text.is_empty() {
            sections.push(Vec::new());
        } else if let Some(section) = sections.last_mut() {
            section.push(Line { number: at + 1, text });
        }
    }
    sections
}

/// Names of one kind, each of them once.
struct Names<T> {
    kind: &'static str,
    known: HashMap<String, T>,
}

impl<T: Copy> Names<T> {
    fn new(kind: &'static str) -> Self {
        Self { kind, known: HashMap::new() }
    }

    fn add(&mut self, name: &str, value: T) -> Result<(), String> {
        if name.is_empty() {
            return Err(format!("A {} without a name", self.kind));
        }
        match self.known.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(format!("Duplicate {} '{name}'", self.kind)),
        }
    }

    fn get(&self, name: &str, whose: &str) -> Result<T, String> {
        self.known.get(name).copied().ok_or_else(|| format!("Unknown {} '{name}' for {whose}", self.kind))
    }
}

fn group(fields: &Fields<'_>) -> Result<Group, String> {
    fields.at_least(4, "group")?;
    let name = fields.text(0);
    if name.is_empty() {
        return Err("A group without a name".to_owned());
    }
    let alloc_policy: AllocPolicy =
        fields.text(2).parse().map_err(|_| format!("Invalid allocation policy '{}' of group {name}", fields.text(2)))?;
    Ok(Group {
        name: name.to_owned(),
        uuid: fields.text(1).to_owned(),
        alloc_policy,
        networks: fields.list(4),
        policy: Policy::default(),
        tags: fields.list(3),
    })
}

fn node(fields: &Fields<'_>, groups: &Names<GroupId>) -> Result<Node, String> {
    fields.at_least(9, "node")?;
    let name = fields.text(0);
    let mut node = Node::new(name, groups.get(fields.text(8), &format!("node {name}"))?);
    if (1..=6).any(|at| fields.text(at) == "?") {
        node.offline = true;
        return Ok(node);
    }
    node.total_memory = number::amount(name, fields.text(1))?;
    node.node_memory = number::count(name, fields.text(2))?;
    // May be less than nothing: the cluster takes off what its instances were promised.
    node.free_memory = number::whole(name, fields.text(3))?;
    node.total_disk = number::amount(name, fields.text(4))?;
    node.free_disk = number::whole(name, fields.text(5))?;
    node.cpus = number::amount(name, fields.text(6))?;
    node.offline = fields.text(7) == "Y";
    node.master = fields.text(7) == "M";
    node.spindles = number::count(name, fields.or(9, "1"))?;
    node.tags = fields.list(10);
    node.exclusive_storage = fields.yes_or_no(11, "N", || format!("Invalid exclusive_storage value for node '{name}'"))?;
    node.free_spindles = number::whole(name, fields.or(12, "0"))?;
    node.node_cpus = number::count(name, fields.or(13, "1"))?;
    node.cpu_speed = number::amount(name, fields.or(14, "1.0"))?;
    Ok(node)
}

fn instance(fields: &Fields<'_>, nodes: &Names<NodeId>) -> Result<Instance, String> {
    fields.at_least(10, "instance")?;
    let name = fields.text(0);
    let whose = format!("instance {name}");
    let primary = nodes.get(fields.text(6), &whose)?;
    let secondary = if fields.text(7).is_empty() { None } else { Some(nodes.get(fields.text(7), &whose)?) };
    let template: DiskTemplate =
        fields.text(8).parse().map_err(|_| format!("Instance {name}: invalid disk template '{}'", fields.text(8)))?;
    let spindles = match fields.or(11, "-") {
        "-" => None,
        text => Some(number::count(name, text)?),
    };
    let disk = Disk { size: number::count(name, fields.text(2))?, spindles };
    let mut instance = Instance::new(name, template, vec![disk]);
    instance.memory = number::count(name, fields.text(1))?;
    instance.vcpus = number::count(name, fields.text(3))?;
    instance.status = Status::parse(fields.text(4)).ok_or_else(|| format!("Invalid status '{}' of {whose}", fields.text(4)))?;
    instance.auto_balance = fields.yes_or_no(5, "", || format!("Invalid auto_balance value for {whose}"))?;
    instance.tags = fields.list(9);
    instance.spindle_use = number::count(name, fields.or(10, "1"))?;
    instance.forthcoming = fields.yes_or_no(12, "N", || format!("Invalid forthcoming value for {whose}"))?;
    instance.primary = primary;
    instance.secondary = secondary;
    if instance.has_secondary() && secondary == Some(primary) {
        return Err(format!("Instance {name} has same primary and secondary node - {}", fields.text(6)));
    }
    Ok(instance)
}
