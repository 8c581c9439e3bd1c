//! Every field of every resource: what `gnt-* list -o` and `list-fields` know.
//!
//! The tables say what fields there are; what a field's value is, the one who has the rows knows.

mod cluster;
mod export;
mod extstorage;
mod filter;
mod group;
mod hypervisor;
mod instance;
mod job;
mod lock;
mod network;
mod node;
mod os;

use std::borrow::Cow;

use super::{FieldDef, FieldKind, QueryFieldsResponse, Resource, nice_sort_by_key};

/// How many disks have fields of their own, `disk.size/0` to `disk.size/15` (Ganeti: MAX_DISKS).
pub const MAX_DISKS: usize = 16;

/// How many network interfaces have fields of their own (Ganeti: MAX_NICS).
pub const MAX_NICS: usize = 8;

/// A row of a table: name, title, kind, description.
type Row = (&'static str, &'static str, FieldKind, &'static str);

/// A field that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: Cow<'static, str>,
    pub title: Cow<'static, str>,
    pub kind: FieldKind,
    /// One line for people.
    pub doc: Cow<'static, str>,
    pub source: Source,
    pub matching: Matching,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The master knows it: configuration, job queue, locks.
    Config,
    /// A node has to be asked.
    Live,
}

/// How a filter looks at the value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matching {
    Plain,
    /// A host name: it equals its own beginning up to a dot, so `node1` finds `node1.example.com`.
    Hostname,
    /// A pair of seconds and microseconds, of which the seconds count.
    TimePair,
}

impl Field {
    /// The field as `QueryFields` describes it.
    #[must_use]
    pub fn definition(&self) -> FieldDef {
        FieldDef {
            name: self.name.clone().into_owned(),
            title: self.title.clone().into_owned(),
            kind: self.kind,
            doc: self.doc.clone().into_owned(),
        }
    }
}

/// All fields of a resource in the order of their names, the numbered ones (`disk.size/0` ...) included.
#[must_use]
pub fn all(resource: Resource) -> Vec<Field> {
    let mut fields: Vec<Field> = table(resource).iter().map(|row| plain(resource, row)).collect();
    if resource == Resource::Instance {
        fields.extend(hypervisor::PARAMETERS.iter().map(|(name, title, kind)| hypervisor_field(name, *title, *kind)));
        fields.extend(instance::DISK_FIELDS.iter().flat_map(|row| (0..MAX_DISKS).map(|n| numbered(row, n, "disk"))));
        fields.extend(instance::NIC_FIELDS.iter().flat_map(|row| (0..MAX_NICS).map(|n| numbered(row, n, "network interface"))));
    }
    nice_sort_by_key(&mut fields, |f| &f.name);
    fields
}

/// Whether the field is Gannet's own: Ganeti has none of this name.
#[must_use]
pub fn is_own(resource: Resource, name: &str) -> bool {
    resource == Resource::Node && name.starts_with("store.")
}

/// The field of this name, if there is one.
#[must_use]
pub fn find(resource: Resource, name: &str) -> Option<Field> {
    if let Some(row) = table(resource).iter().find(|row| row.0 == name) {
        return Some(plain(resource, row));
    }
    if resource != Resource::Instance {
        return None;
    }
    if let Some(parameter) = name.strip_prefix("hv/") {
        let found = hypervisor::PARAMETERS.iter().find(|p| p.0 == parameter)?;
        return Some(hypervisor_field(found.0, found.1, found.2));
    }
    let (family, number) = split_number(name)?;
    let disk = instance::DISK_FIELDS.iter().find(|row| row.0 == family).filter(|_| number < MAX_DISKS);
    let nic = instance::NIC_FIELDS.iter().find(|row| row.0 == family).filter(|_| number < MAX_NICS);
    disk.map(|row| numbered(row, number, "disk")).or_else(|| nic.map(|row| numbered(row, number, "network interface")))
}

/// The definition of a field, the one of an unknown field included.
#[must_use]
pub fn definition(resource: Resource, name: &str) -> FieldDef {
    find(resource, name).map_or_else(|| FieldDef::unknown(name), |f| f.definition())
}

/// The answer to `QueryFields`: the asked fields in the asked order, or all of them if none is asked for.
#[must_use]
pub fn query_fields<S: AsRef<str>>(resource: Resource, names: &[S]) -> QueryFieldsResponse {
    let fields = if names.is_empty() {
        all(resource).iter().map(Field::definition).collect()
    } else {
        names.iter().map(|name| definition(resource, name.as_ref())).collect()
    };
    QueryFieldsResponse { fields }
}

/// The fields a list command shows unless `-o` says otherwise. Empty for the cluster, which has no list command.
#[must_use]
pub fn default_fields(resource: Resource) -> &'static [&'static str] {
    match resource {
        Resource::Cluster => cluster::DEFAULT,
        Resource::Instance => instance::DEFAULT,
        Resource::Node => node::DEFAULT,
        Resource::Group => group::DEFAULT,
        Resource::Os => os::DEFAULT,
        Resource::Export => export::DEFAULT,
        Resource::Network => network::DEFAULT,
        Resource::Extstorage => extstorage::DEFAULT,
        Resource::Job => job::DEFAULT,
        Resource::Lock => lock::DEFAULT,
        Resource::Filter => filter::DEFAULT,
    }
}

/// The fields `-o` selects: a comma-separated list, or with a `+` before it the default ones and then those.
#[must_use]
pub fn parse_fields(selected: Option<&str>, default: &[&str]) -> Vec<String> {
    let split = |list: &str| list.split(',').map(str::to_owned).collect::<Vec<_>>();
    let default = || default.iter().map(|f| (*f).to_owned());
    match selected {
        None => default().collect(),
        Some(list) => match list.strip_prefix('+') {
            Some(more) => default().chain(split(more)).collect(),
            None => split(list),
        },
    }
}

/// The newer name of an instance field that has an older one too; any other name as it is.
#[must_use]
pub fn canonical_name(name: &str) -> &str {
    match name {
        "be/memory" => "be/maxmem",
        "bridge" => "nic.bridge/0",
        "ip" => "nic.ip/0",
        "mac" => "nic.mac/0",
        "nic_link" => "nic.link/0",
        "nic_mode" => "nic.mode/0",
        "nic_network" => "nic.network/0",
        "sda_size" => "disk.size/0",
        "sdb_size" => "disk.size/1",
        "vcpus" => "be/vcpus",
        other => other,
    }
}

/// Cuts the name of a numbered field: `disk.size/3` is `("disk.size", 3)`. Does not ask whether there is such a field.
#[must_use]
pub fn split_number(name: &str) -> Option<(&str, usize)> {
    let (family, digits) = name.rsplit_once('/')?;
    // One spelling only: no sign, no leading zeros.
    let number = digits.parse::<usize>().ok().filter(|n| n.to_string() == digits)?;
    Some((family, number))
}

fn table(resource: Resource) -> &'static [Row] {
    match resource {
        Resource::Cluster => cluster::FIELDS,
        Resource::Instance => instance::FIELDS,
        Resource::Node => node::FIELDS,
        Resource::Group => group::FIELDS,
        Resource::Os => os::FIELDS,
        Resource::Export => export::FIELDS,
        Resource::Network => network::FIELDS,
        Resource::Extstorage => extstorage::FIELDS,
        Resource::Job => job::FIELDS,
        Resource::Lock => lock::FIELDS,
        Resource::Filter => filter::FIELDS,
    }
}

fn plain(resource: Resource, &(name, title, kind, doc): &Row) -> Field {
    Field {
        name: name.into(),
        title: title.into(),
        kind,
        doc: doc.into(),
        source: source(resource, name),
        matching: matching(resource, name),
    }
}

fn source(resource: Resource, name: &str) -> Source {
    let live = match resource {
        Resource::Instance => matches!(name, "console" | "oper_ram" | "oper_state" | "oper_vcpus" | "status"),
        Resource::Node => matches!(
            name,
            "bootid" | "cnodes" | "cnos" | "csockets" | "ctotal" | "dfree" | "dtotal" | "mfree" | "mnode" | "mtotal" | "spfree" | "sptotal"
        ),
        // What is stored or installed, only the nodes know.
        Resource::Export => true,
        Resource::Os => !matches!(name, "hidden" | "blacklisted" | "os_hvp" | "osparams" | "trusted"),
        Resource::Extstorage => true,
        Resource::Cluster | Resource::Group | Resource::Network | Resource::Job | Resource::Lock | Resource::Filter => false,
    };
    if live { Source::Live } else { Source::Config }
}

/// Ganeti: these and no others; `snodes` or `pinst_list` want whole names.
fn matching(resource: Resource, name: &str) -> Matching {
    match (resource, name) {
        (Resource::Instance, "name" | "pnode") | (Resource::Node, "name") | (Resource::Export, "node") => Matching::Hostname,
        (Resource::Job, "received_ts" | "start_ts" | "end_ts") => Matching::TimePair,
        _ => Matching::Plain,
    }
}

fn hypervisor_field(parameter: &str, title: Option<&'static str>, kind: FieldKind) -> Field {
    let name = format!("hv/{parameter}");
    Field {
        title: title.map_or_else(|| name.clone().into(), Cow::Borrowed),
        name: name.into(),
        kind,
        doc: format!("Hypervisor parameter {parameter} in effect").into(),
        source: Source::Config,
        matching: Matching::Plain,
    }
}

fn numbered(&(name, title, kind, what): &Row, number: usize, of: &str) -> Field {
    Field {
        name: format!("{name}/{number}").into(),
        title: format!("{title}/{number}").into(),
        kind,
        doc: format!("{what} of {of} {number}").into(),
        source: Source::Config,
        matching: Matching::Plain,
    }
}

#[cfg(test)]
mod tests;
