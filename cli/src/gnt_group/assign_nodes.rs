//! `gnt-group assign-nodes`

use serde_json::json;

use crate::context::{Context, Outcome};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let nodes = context.args.positional().get(1..).unwrap_or_default();
    let parameters = json!({"group_name": context.name(), "nodes": nodes, "force": context.args.flag("force")});
    let op = context.opcode("OP_GROUP_ASSIGN_NODES", parameters)?;
    wait::run_quietly(context, op)
}
