//! `gnt-storage`: providers of external storage.

use serde_json::json;

use crate::Built;
use crate::context::{Context, Outcome};
use crate::exit::SUCCESS;
use crate::wait;
use crate::yaml::Node;

/// What carries out the sub-command `name`.
pub(crate) fn built(name: &str) -> Option<Built> {
    Some(match name {
        "diagnose" | "info" => Built::new(show),
        _ => return None,
    })
}

/// Both show everything that the nodes tell; `info` can be told names.
fn show(context: &mut Context<'_>) -> Outcome {
    const FIELDS: [&str; 4] = ["name", "node_status", "nodegroup_status", "parameters"];
    let op = context.opcode("OP_EXT_STORAGE_DIAGNOSE", json!({"output_fields": FIELDS, "names": context.args.positional()}))?;
    let result = wait::run(context, op)?;
    let rows = result.as_array().map(Vec::as_slice).unwrap_or_default();
    let entries =
        |row: &serde_json::Value| FIELDS.iter().enumerate().map(|(at, field)| ((*field).to_owned(), Node::json(&row[at]))).collect();
    let tree = Node::List(rows.iter().map(|row| Node::Map(entries(row))).collect());
    context.io.raw(tree.render().as_bytes());
    Ok(SUCCESS)
}
