//! `gnt-node list-storage`

use serde_json::json;

use super::volumes::{Field, known_fields, print};
use crate::context::{Context, Outcome};
use crate::exit::UNKNOWN_FIELD;
use crate::wait;

const FIELDS: [Field; 7] = [
    ("node", "Node", false),
    ("type", "Type", false),
    ("name", "Name", false),
    ("size", "Size", true),
    ("used", "Used", true),
    ("free", "Free", true),
    ("allocatable", "Allocatable", false),
];

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let default = FIELDS.map(|(field, _, _)| field);
    let Some(fields) = known_fields(context, &FIELDS, &default) else { return Ok(UNKNOWN_FIELD) };
    let parameters = json!({
        "output_fields": fields,
        "nodes": context.args.positional(),
        "storage_type": context.args.text("storage-type"),
    });
    let op = context.opcode("OP_NODE_QUERY_STORAGE", parameters)?;
    let result = wait::run(context, op)?;
    print(context, &FIELDS, &fields, &result)
}
