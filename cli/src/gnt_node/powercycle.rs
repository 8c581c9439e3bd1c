//! `gnt-node powercycle`

use serde_json::json;

use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{CONFIRMATION, SUCCESS};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let name = context.name();
    let question = format!("Node {name} will be restarted at once, with all its instances. Continue?");
    if !context.args.flag("yes") && !confirm::yes(context.io, &question) {
        return Ok(CONFIRMATION);
    }
    let op = context.opcode("OP_NODE_POWERCYCLE", json!({"node_name": name, "force": context.args.flag("force")}))?;
    let result = wait::run(context, op)?;
    if let Some(text) = result.as_str() {
        context.io.note(text);
    }
    Ok(SUCCESS)
}
