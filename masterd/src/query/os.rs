//! Operating system definitions: what the nodes have, merged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gannet_core::config::{Cluster, Config, Node};
use gannet_core::error::WireError;
use gannet_core::query::{Filter, Resource, filter};
use gannet_proto::node::{OsDefinition, OsDiagnoseReply};
use serde_json::{Value, json};

use super::cell::Cell;
use super::live::Answers;
use super::table::{Plan, Request, Style, Table};
use crate::master::Master;

/// One OS over all nodes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Os {
    name: String,
    /// Valid on each node that answered.
    valid: bool,
    api_versions: BTreeSet<u32>,
    variants: Vec<String>,
    parameters: Vec<(String, String)>,
    trusted: bool,
    /// Node name to what was found there: path, valid, problem, variants, parameters, API versions, trusted.
    node_status: BTreeMap<String, Vec<Value>>,
}

/// Merges what nodes answered. Only what all of them have in common can be used everywhere (Ganeti: `OsQuery`).
pub(crate) fn merge(config: &Config, answers: &Answers<OsDiagnoseReply>) -> Vec<Os> {
    let mut nodes: Vec<(&str, &OsDiagnoseReply)> =
        answers.iter().filter_map(|(uuid, reply)| Some((config.node(uuid)?.name.as_str(), reply.as_ref()))).collect();
    super::sort_nicely(&mut nodes, |(name, _)| name);
    let mut names: Vec<&str> = nodes
        .iter()
        .flat_map(|(_, reply)| &reply.definitions)
        .map(|definition| definition.name.as_str())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    super::sort_nicely(&mut names, |name| name);
    names.into_iter().map(|name| merge_one(name, &nodes)).collect()
}

fn merge_one(name: &str, nodes: &[(&str, &OsDiagnoseReply)]) -> Os {
    let on = |reply: &'_ OsDiagnoseReply| -> Vec<OsDefinition> {
        reply.definitions.iter().filter(|definition| definition.name == name).cloned().collect()
    };
    let found: Vec<(&str, Vec<OsDefinition>)> = nodes.iter().map(|(node, reply)| (*node, on(reply))).collect();
    let node_status = found.iter().map(|(node, definitions)| ((*node).to_owned(), definitions.iter().map(status).collect())).collect();
    // The first of several in the search path is the one that is used.
    let used: Option<Vec<&OsDefinition>> =
        found.iter().map(|(_, definitions)| definitions.first().filter(|definition| definition.valid)).collect();
    let mut os = Os {
        name: name.to_owned(),
        valid: used.is_some(),
        api_versions: BTreeSet::new(),
        variants: Vec::new(),
        parameters: Vec::new(),
        trusted: false,
        node_status,
    };
    if let Some((first, rest)) = used.as_deref().and_then(<[_]>::split_first) {
        let everywhere = |has: &dyn Fn(&OsDefinition) -> bool| rest.iter().all(|definition| has(definition));
        os.api_versions = first.api_versions.iter().copied().filter(|v| everywhere(&|d| d.api_versions.contains(v))).collect();
        os.variants = first.variants.iter().filter(|v| everywhere(&|d| d.variants.contains(v))).cloned().collect();
        let parameters = first.parameters.iter().filter(|(name, help)| everywhere(&|d| d.parameters.get(*name) == Some(help)));
        os.parameters = parameters.map(|(name, help)| (name.clone(), help.clone())).collect();
        os.parameters.sort();
        os.trusted = first.trusted && everywhere(&|d| d.trusted);
    }
    os
}

fn status(definition: &OsDefinition) -> Value {
    let parameters: BTreeMap<&String, &String> = definition.parameters.iter().collect();
    json!([
        definition.path,
        definition.valid,
        definition.problem,
        definition.variants,
        parameters.into_iter().collect::<Vec<_>>(),
        definition.api_versions,
        definition.trusted,
    ])
}

/// OS definitions, and the cluster's settings for them.
pub(crate) struct OsTable<'a> {
    pub(crate) cluster: &'a Cluster,
}

/// A field of OS definitions.
pub(crate) struct Column<'a>(fn(&OsTable<'a>, &'a Os) -> Cell<'a>);

impl<'a> OsTable<'a> {
    /// What `settings` has for the OS and for its variants.
    fn of<T: serde::Serialize>(os: &Os, settings: &BTreeMap<String, T>) -> Cell<'a> {
        let names = std::iter::once(os.name.clone()).chain(os.variants.iter().map(|variant| format!("{}+{variant}", os.name)));
        Cell::json(names.filter_map(|name| settings.get_key_value(&name)).collect::<BTreeMap<_, _>>())
    }
}

impl<'a> Table<'a> for OsTable<'a> {
    type Row = &'a Os;
    type Column = Column<'a>;

    const RESOURCE: Resource = Resource::Os;

    fn column(name: &str) -> Option<Column<'a>> {
        let get: fn(&OsTable<'a>, &'a Os) -> Cell<'a> = match name {
            "api_versions" => |_, os| Cell::json(&os.api_versions),
            "blacklisted" => |t, os| t.cluster.blacklisted_os.contains(&os.name).into(),
            "hidden" => |t, os| t.cluster.hidden_os.contains(&os.name).into(),
            "name" => |_, os| os.name.as_str().into(),
            "node_status" => |_, os| Cell::json(&os.node_status),
            "os_hvp" => |t, os| OsTable::of(os, &t.cluster.os_hvp),
            "osparams" => |t, os| OsTable::of(os, &t.cluster.osparams),
            "parameters" => |_, os| Cell::json(&os.parameters),
            "trusted" => |_, os| os.trusted.into(),
            "valid" => |_, os| os.valid.into(),
            "variants" => |_, os| Cell::json(&os.variants),
            _ => return None,
        };
        Some(Column(get))
    }

    fn cell(&self, row: &'a Os, column: &Column<'a>) -> Cell<'a> {
        (column.0)(self, row)
    }
}

/// Answers a request about OS definitions; asks all nodes that can run instances.
///
/// # Errors
/// A filter that cannot be applied.
pub(crate) async fn answer(master: &Master, request: &Request<'_>) -> Result<String, WireError> {
    let state = master.store().state();
    let nodes: Vec<&Arc<Node>> = state.config.nodes().filter(|node| node.vm_capable).collect();
    let answers = master.live().os(master.nodes(), &nodes).await;
    let all = merge(&state.config, &answers);
    write(state.config.cluster(), &all, request)
}

/// The text of the answer.
pub(crate) fn write(cluster: &Cluster, all: &[Os], request: &Request<'_>) -> Result<String, WireError> {
    let (table, plan) = (OsTable { cluster }, Plan::new::<OsTable<'_>>(request)?);
    let rows = plan.select(&table, all.iter().collect())?;
    Ok(plan.answer(&table, &rows))
}

/// Rows as `OP_OS_DIAGNOSE` gives them. An OS that is hidden, blacklisted or invalid is left out unless that very field is
/// asked for (Ganeti: LUOsDiagnose).
///
/// # Errors
/// An unknown field.
pub async fn diagnose(master: &Master, fields: &[String], names: &[String]) -> Result<Value, WireError> {
    let request = Request { fields, filter: diagnose_filter(fields, names), style: Style::Classic };
    let text = answer(master, &request).await?;
    serde_json::from_str(&text).map_err(|error| WireError::new("GenericError", error.to_string()))
}

fn diagnose_filter(fields: &[String], names: &[String]) -> Filter {
    let asked = |name: &str| fields.iter().any(|field| field == name);
    let mut all = Vec::new();
    if !names.is_empty() {
        all.push(filter::make_simple_filter("name", names));
    }
    for name in ["hidden", "blacklisted"] {
        if !asked(name) {
            all.push(Filter::True(name.to_owned()).negated());
        }
    }
    if !asked("valid") {
        all.push(Filter::True("valid".to_owned()));
    }
    if all.is_empty() { Filter::Empty } else { Filter::And(all) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::query::sample;

    fn definition(name: &str, valid: bool, variants: &[&str], parameters: &[(&str, &str)]) -> OsDefinition {
        OsDefinition {
            name: name.into(),
            path: format!("/srv/ganeti/os/{name}"),
            valid,
            variants: variants.iter().map(|&v| v.to_owned()).collect(),
            parameters: parameters.iter().map(|&(n, h)| (n.to_owned(), h.to_owned())).collect::<HashMap<_, _>>(),
            api_versions: vec![20, 15],
            ..OsDefinition::default()
        }
    }

    fn answers(config: &Config, replies: [Vec<OsDefinition>; 2]) -> Answers<OsDiagnoseReply> {
        let nodes = ["node1", "node2"].map(|name| config.find_node(name).unwrap().uuid.clone());
        nodes.into_iter().zip(replies).map(|(node, definitions)| (node, Arc::new(OsDiagnoseReply { definitions }))).collect()
    }

    #[test]
    fn only_what_all_nodes_have_counts() {
        let config = sample::config();
        let (one, two) = (
            vec![definition("a", true, &["x", "y"], &[("p", "1"), ("q", "1")]), definition("only1", true, &[], &[])],
            vec![definition("a", true, &["y", "z"], &[("p", "1"), ("q", "2")]), definition("broken", false, &[], &[])],
        );
        let merged = merge(&config, &answers(&config, [one, two]));
        let seen: Vec<_> = merged.iter().map(|os| (os.name.as_str(), os.valid)).collect();
        assert_eq!(seen, [("a", true), ("broken", false), ("only1", false)]);
        assert_eq!(merged[0].variants, ["y"]);
        assert_eq!(merged[0].parameters, [("p".to_owned(), "1".to_owned())]);
        assert_eq!(merged[1].node_status["node1.example.com"], Vec::<Value>::new());
        assert_eq!(merged[1].node_status["node2.example.com"].len(), 1);
    }

    #[test]
    fn what_must_not_be_used_is_left_out_unless_asked_for() {
        let mut config = sample::config();
        let cluster = sample::change(config.cluster(), |cluster| cluster.hidden_os = vec!["secret".into()]);
        config.put(gannet_core::config::Object::Cluster(cluster));
        let definitions =
            || vec![definition("a", true, &[], &[]), definition("secret", true, &[], &[]), definition("bad", false, &[], &[])];
        let all = merge(&config, &answers(&config, [definitions(), definitions()]));
        let rows = |fields: &[&str], names: &[&str]| {
            let (fields, names) =
                (fields.iter().map(|&f| f.to_owned()).collect::<Vec<_>>(), names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>());
            let request = Request { fields: &fields, filter: diagnose_filter(&fields, &names), style: Style::Classic };
            serde_json::from_str::<Value>(&write(config.cluster(), &all, &request).unwrap()).unwrap()
        };
        assert_eq!(rows(&["name"], &[]), json!([["a"]]));
        assert_eq!(rows(&["name", "hidden"], &[]), json!([["a", false], ["secret", true]]));
        assert_eq!(rows(&["name", "valid", "hidden"], &["bad"]), json!([["bad", false, false]]));
    }
}
