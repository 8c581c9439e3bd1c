//! `gnt-os`: OS definitions.

mod diagnose;
mod info;
mod list;
mod modify;

use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Failure;
use crate::{Built, wait};

/// What carries out the sub-command `name`.
pub(crate) fn built(name: &str) -> Option<Built> {
    Some(match name {
        "diagnose" => Built::new(diagnose::run),
        "info" => Built::new(info::run),
        "list" => Built::new(list::run),
        "modify" => Built::new(modify::run),
        _ => return None,
    })
}

/// What the nodes tell about the OS definitions.
fn query(context: &mut Context<'_>, fields: &[&str]) -> Result<Vec<Vec<Value>>, Failure> {
    let op = context.opcode("OP_OS_DIAGNOSE", json!({"output_fields": fields, "names": []}))?;
    let result = wait::run(context, op)?;
    let rows = result.as_array().map(Vec::as_slice).unwrap_or_default();
    let full = |row: &Value| {
        let mut row = row.as_array().cloned().unwrap_or_default();
        row.resize(fields.len(), Value::Null);
        row
    };
    Ok(rows.iter().map(full).collect())
}
