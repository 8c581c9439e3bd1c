//! `gnt-node volumes`, and the table of jobs that answer with rows.

use gannet_core::query::format::{Column, Unit, python_str};
use gannet_core::query::parse_fields;
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS, UNKNOWN_FIELD};
use crate::{table, wait};

/// Field, title, whether it is a size.
pub(super) type Field = (&'static str, &'static str, bool);

const FIELDS: [Field; 6] = [
    ("node", "Node", false),
    ("phys", "PhysDev", false),
    ("vg", "VG", false),
    ("name", "Name", false),
    ("size", "Size", true),
    ("instance", "Instance", false),
];

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let default = FIELDS.map(|(field, _, _)| field);
    let Some(fields) = known_fields(context, &FIELDS, &default) else { return Ok(UNKNOWN_FIELD) };
    let op = context.opcode("OP_NODE_QUERYVOLS", json!({"output_fields": fields, "nodes": context.args.positional()}))?;
    let result = wait::run(context, op)?;
    print(context, &FIELDS, &fields, &result)
}

/// The fields of `-o`; `None` after a word on those that do not exist.
pub(super) fn known_fields(context: &mut Context<'_>, known: &[Field], default: &[&str]) -> Option<Vec<String>> {
    let fields = parse_fields(context.args.text("output"), default);
    let unknown: Vec<&str> = fields.iter().map(String::as_str).filter(|field| !known.iter().any(|(name, _, _)| name == field)).collect();
    if unknown.is_empty() {
        return Some(fields);
    }
    context.io.note(format_args!("Unknown output fields selected: {}", unknown.join(", ")));
    None
}

/// Prints rows of plain values.
pub(super) fn print(context: &mut Context<'_>, known: &[Field], fields: &[String], result: &Value) -> Result<u8, Failure> {
    let unit = table::unit(context)?.unwrap_or(if context.args.given("separator") { Unit::Mebi } else { Unit::Human });
    let chosen: Vec<&Field> = fields.iter().filter_map(|field| known.iter().find(|(name, _, _)| name == field)).collect();
    let columns: Vec<Column> = chosen.iter().map(|(_, title, is_size)| Column { title: (*title).to_owned(), right: *is_size }).collect();
    let cell = |(value, (_, _, is_size)): (&Value, &&Field)| match (is_size, value.as_f64()) {
        (true, Some(mib)) => unit.format(mib),
        _ if value.is_null() => "-".to_owned(),
        (_, _) => match value {
            Value::Bool(true) => "Y".to_owned(),
            Value::Bool(false) => "N".to_owned(),
            other => python_str(other),
        },
    };
    let rows: Vec<Vec<String>> = result
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .map(|row| row.iter().zip(&chosen).map(cell).collect())
        .collect();
    table::print_rows(context, &columns, &rows);
    Ok(SUCCESS)
}
