//! `gnt-instance move`

use serde_json::json;

use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let name = context.name();
    let Some(target) = context.args.text("node") else {
        return Err(Failure::invalid("Please give the node to move to (-n)"));
    };
    let parameters = json!({
        "instance_name": name,
        "shutdown_timeout": context.args.int("shutdown-timeout"),
        "ignore_ipolicy": context.args.flag("ignore-ipolicy"),
        "target_node": target,
        "compress": context.args.text("compress"),
        "ignore_consistency": context.args.flag("ignore-consistency"),
    });
    let op = context.opcode("OP_INSTANCE_MOVE", parameters)?;
    let question = format!("Instance {name} will be stopped while its disks are copied to another node. Continue?");
    if !context.args.flag("force") && !confirm::yes(context.io, &question) {
        return Ok(FAILURE);
    }
    wait::run_quietly(context, op)
}
