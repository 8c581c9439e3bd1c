//! Exports of instances (`gnt-backup list`): what lies in the nodes' export directories.

use std::collections::BTreeSet;
use std::sync::Arc;

use gannet_core::config::{Config, Node};
use gannet_core::error::WireError;
use gannet_core::query::Resource;
use gannet_proto::node::StorageListReply;
use serde_json::{Value, json};

use super::cell::Cell;
use super::live::Answers;
use super::table::{Plan, Request, Table};
use crate::master::Master;

/// One export; or a node that could not tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found<'a> {
    node: &'a Node,
    export: Result<&'a str, Silence>,
}

/// Why a node told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    Offline,
    NoAnswer,
}

/// Exports.
pub(crate) struct Exports;

/// A field of exports.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Export,
    Node,
}

impl<'a> Table<'a> for Exports {
    type Row = Found<'a>;
    type Column = Column;

    const RESOURCE: Resource = Resource::Export;

    fn column(name: &str) -> Option<Column> {
        match name {
            "export" => Some(Column::Export),
            "node" => Some(Column::Node),
            _ => None,
        }
    }

    fn cell(&self, row: Found<'a>, column: &Column) -> Cell<'a> {
        match (column, row.export) {
            (Column::Node, _) => row.node.name.as_str().into(),
            (Column::Export, Ok(name)) => name.into(),
            (Column::Export, Err(Silence::Offline)) => Cell::OFFLINE,
            (Column::Export, Err(Silence::NoAnswer)) => Cell::NO_DATA,
        }
    }
}

/// The directories with a complete export: those with a `config.ini`, which is written last.
fn complete(reply: &StorageListReply) -> BTreeSet<&str> {
    let is_ini = |name: &str| name.rsplit('/').next() == Some("config.ini");
    reply.items.iter().filter(|item| is_ini(&item.name) && !item.instance.is_empty()).map(|item| item.instance.as_str()).collect()
}

/// Whether the node could not read its export directory. One that does not exist has no exports.
fn is_unreadable(reply: &StorageListReply) -> bool {
    reply.errors.values().any(|error| !error.contains("does not exist"))
}

/// One row for each export, and one for each node that did not tell.
pub(crate) fn rows<'a>(nodes: &[&'a Arc<Node>], answers: &'a Answers<StorageListReply>) -> Vec<Found<'a>> {
    let mut rows = Vec::new();
    for &node in nodes {
        match answers.get(&node.uuid) {
            _ if node.offline => rows.push(Found { node, export: Err(Silence::Offline) }),
            Some(reply) if !is_unreadable(reply) => {
                let mut names: Vec<&str> = complete(reply).into_iter().collect();
                super::sort_nicely(&mut names, |name| name);
                rows.extend(names.into_iter().map(|name| Found { node, export: Ok(name) }));
            }
            _ => rows.push(Found { node, export: Err(Silence::NoAnswer) }),
        }
    }
    rows
}

/// The nodes with these names, or all.
fn nodes<'a>(config: &'a Config, names: &[String]) -> Result<Vec<&'a Arc<Node>>, WireError> {
    if !names.is_empty() {
        return names.iter().map(|name| Ok(config.find_node(name)?)).collect();
    }
    let mut all: Vec<&Arc<Node>> = config.nodes().collect();
    super::sort_nicely(&mut all, |node| node.name.as_str());
    Ok(all)
}

/// Answers a request about exports; asks the named nodes, or all.
///
/// # Errors
/// A node that does not exist, or a filter that cannot be applied.
pub(crate) async fn answer(master: &Master, request: &Request<'_>) -> Result<String, WireError> {
    let state = master.store().state();
    let names: Vec<String> =
        request.names(Resource::Export).unwrap_or_default().into_iter().map(|name| super::name_text(name).into_owned()).collect();
    let nodes = nodes(&state.config, &names)?;
    let request = if names.is_empty() { request } else { &request.unfiltered() };
    let answers = master.live().exports(master.nodes(), &nodes).await;
    let plan = Plan::new::<Exports>(request)?;
    let rows = plan.select(&Exports, rows(&nodes, &answers))?;
    Ok(plan.answer(&Exports, &rows))
}

/// The answer to `QueryExports`: pairs of node and export, null for a node that did not tell.
///
/// # Errors
/// A node that does not exist.
pub(crate) async fn pairs(master: &Master, names: &[String]) -> Result<Value, WireError> {
    let state = master.store().state();
    let nodes = nodes(&state.config, names)?;
    let answers = master.live().exports(master.nodes(), &nodes).await;
    Ok(rows(&nodes, &answers).iter().map(|row| json!([row.node.name, row.export.ok()])).collect())
}

#[cfg(test)]
mod tests {
    use gannet_proto::node::StorageItem;

    use super::*;
    use crate::query::sample;

    #[test]
    fn exports_are_directories_with_a_config() {
        let config = sample::config();
        let nodes = nodes(&config, &[]).unwrap();
        let item = |path: &str, instance: &str| StorageItem { name: path.into(), instance: instance.into(), ..StorageItem::default() };
        let full = StorageListReply {
            items: vec![item("/e/web2/config.ini", "web2"), item("/e/web10/config.ini", "web10"), item("/e/half/disk0.snap", "half")],
            ..StorageListReply::default()
        };
        let missing = StorageListReply { errors: [("k".into(), "disk /e does not exist".into())].into(), ..StorageListReply::default() };
        let answers = [(nodes[0].uuid.clone(), Arc::new(full)), (nodes[1].uuid.clone(), Arc::new(missing))].into();
        let seen: Vec<_> = rows(&nodes, &answers).iter().map(|row| (row.node.name.short().to_owned(), row.export)).collect();
        let expected = [("node1".to_owned(), Ok("web2")), ("node1".to_owned(), Ok("web10")), ("node3".to_owned(), Err(Silence::NoAnswer))];
        assert_eq!(seen, expected);
    }
}
