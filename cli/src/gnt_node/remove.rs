//! `gnt-node remove`

use serde_json::json;

use crate::context::{Context, Outcome};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let op = context.opcode("OP_NODE_REMOVE", json!({"node_name": context.name()}))?;
    wait::run_quietly(context, op)
}
