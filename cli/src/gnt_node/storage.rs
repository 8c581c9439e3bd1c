//! `gnt-node modify-storage` and `repair-storage`

use serde_json::{Map, json};

use crate::context::{Context, Outcome};
use crate::exit::FAILURE;
use crate::wait;

pub(super) fn modify(context: &mut Context<'_>) -> Outcome {
    let Some(allocatable) = context.args.yes_no("allocatable") else {
        context.io.note("Please give at least one of the parameters.");
        return Ok(FAILURE);
    };
    let changes = Map::from_iter([("allocatable".to_owned(), json!(allocatable))]);
    let parameters = json!({
        "node_name": context.name(),
        "storage_type": context.args.arg(1),
        "name": context.args.arg(2),
        "changes": changes,
    });
    let op = context.opcode("OP_NODE_MODIFY_STORAGE", parameters)?;
    wait::run_quietly(context, op)
}

pub(super) fn repair(context: &mut Context<'_>) -> Outcome {
    let parameters = json!({
        "node_name": context.name(),
        "storage_type": context.args.arg(1),
        "name": context.args.arg(2),
        "ignore_consistency": context.args.flag("ignore-consistency"),
    });
    let op = context.opcode("OP_REPAIR_NODE_STORAGE", parameters)?;
    wait::run_quietly(context, op)
}
