//! On which nodes a command runs.

use gannet_core::query::{Filter, Resource, filter};

use crate::context::Context;
use crate::exit::Failure;
use crate::table;

/// The named nodes, or all of them, or those of `--node-group`; offline ones are left out with a word. With `without_master` so is
/// the master.
///
/// # Errors
/// A named node or the group does not exist.
pub(crate) fn online_nodes(context: &mut Context<'_>, names: &[String], without_master: bool) -> Result<Vec<String>, Failure> {
    let mut condition = filter::make_simple_filter("name", names);
    if let Some(group) = context.args.text("node-group") {
        condition = condition.and(Filter::Or(vec![Filter::equal("group", group), Filter::equal("group.uuid", group)]));
    }
    let rows = table::rows(context, Resource::Node, &["name", "offline", "master"], &condition)?;
    let full = |row: &Vec<serde_json::Value>| row[0].as_str().unwrap_or_default().to_owned();
    let is_known = |name: &&String| rows.iter().map(full).any(|full| full == **name || full.starts_with(&format!("{name}.")));
    if let Some(name) = names.iter().find(|name| !is_known(name)) {
        return Err(Failure::invalid(format!("Node '{name}' not known")));
    }
    let (offline, online): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row[1] == true);
    if !offline.is_empty() {
        let names: Vec<String> = offline.into_iter().map(full).collect();
        context.io.note(format_args!("Note: skipping offline node(s): {}", names.join(", ")));
    }
    Ok(online.into_iter().filter(|row| !without_master || row[2] != true).map(full).collect())
}

/// The names of all nodes.
///
/// # Errors
/// The master refused.
pub(crate) fn all_nodes(context: &mut Context<'_>) -> Result<Vec<String>, Failure> {
    let rows = table::rows(context, Resource::Node, &["name"], &Filter::Empty)?;
    Ok(rows.iter().filter_map(|row| row[0].as_str()).map(str::to_owned).collect())
}
