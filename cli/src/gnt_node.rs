//! `gnt-node`: one file per sub-command.

mod add;
mod evacuate;
mod failover;
mod info;
mod list_storage;
mod migrate;
mod modify;
mod power;
mod powercycle;
mod remove;
mod restricted_command;
mod storage;
mod volumes;

use gannet_core::query::{Filter, Resource};
use serde_json::Value;

use crate::context::Context;
use crate::exit::Failure;
use crate::{Built, table, tags};

/// What carries out the sub-command `name`.
pub(crate) fn built(name: &str) -> Option<Built> {
    Some(match name {
        "add" => Built::new(add::run),
        "add-tags" => Built::new(tags::add),
        "evacuate" => Built::new(evacuate::run),
        "failover" => Built::new(failover::run),
        "health" => Built::new(power::health),
        "info" => Built::new(info::run),
        "list" => Built::new(|context| table::list(context, Resource::Node)),
        "list-fields" => Built::new(|context| table::list_fields(context, Resource::Node)),
        "list-storage" => Built::new(list_storage::run),
        "list-tags" => Built::new(tags::list),
        "migrate" => Built::new(migrate::run),
        "modify" => Built::new(modify::run),
        "modify-storage" => Built::new(storage::modify),
        "power" => Built::new(power::run).without(&["auto-promote"]),
        "powercycle" => Built::new(powercycle::run),
        "remove" => Built::new(remove::run),
        "remove-tags" => Built::new(tags::remove),
        "repair-storage" => Built::new(storage::repair),
        "restricted-command" => Built::new(restricted_command::run),
        "volumes" => Built::new(volumes::run),
        _ => return None,
    })
}

/// The full name of a node and the instances in one of its list fields.
///
/// # Errors
/// There is no such node.
fn instances_of(context: &mut Context<'_>, node: &str, fields: &[&str]) -> Result<(String, Vec<String>), Failure> {
    let mut all = vec!["name"];
    all.extend(fields);
    let rows = table::rows(context, Resource::Node, &all, &Filter::equal("name", node))?;
    let Some(row) = rows.first() else {
        return Err(Failure::invalid(format!("Node '{node}' not known")));
    };
    let name = row[0].as_str().unwrap_or(node).to_owned();
    let lists = row[1..].iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    let mut names: Vec<String> = lists.map(str::to_owned).collect();
    gannet_core::query::nice_sort(&mut names);
    names.dedup();
    Ok((name, names))
}
