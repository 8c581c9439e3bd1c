//! `gnt-os list`: names with their variants.

use gannet_core::query::format::Column;
use serde_json::Value;

use crate::context::{Context, Outcome};
use crate::exit::SUCCESS;
use crate::table;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let found = super::query(context, &["name", "variants"])?;
    let rows: Vec<Vec<String>> = found.iter().flat_map(|row| names(row)).map(|name| vec![name]).collect();
    table::print_rows(context, &[Column { title: "Name".into(), right: false }], &rows);
    Ok(SUCCESS)
}

/// `debootstrap+default`, …, or the name alone when there are no variants.
fn names(row: &[Value]) -> Vec<String> {
    let Some(name) = row[0].as_str() else { return Vec::new() };
    let variants: Vec<&str> = row[1].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    match variants.is_empty() {
        true => vec![name.to_owned()],
        false => variants.into_iter().map(|variant| format!("{name}+{variant}")).collect(),
    }
}
