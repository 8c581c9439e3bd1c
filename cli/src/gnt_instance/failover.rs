//! `gnt-instance failover`

use serde_json::json;

use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let name = context.name();
    let (iallocator, target) = (context.args.text("iallocator"), context.args.text("target-node"));
    if iallocator.is_some() && target.is_some() {
        return Err(Failure::invalid("Specify either an iallocator (-I), or a target node (-n) but not both"));
    }
    let parameters = json!({
        "instance_name": name,
        "shutdown_timeout": context.args.int("shutdown-timeout"),
        "ignore_consistency": context.args.flag("ignore-consistency"),
        "target_node": target,
        "ignore_ipolicy": context.args.flag("ignore-ipolicy"),
        "cleanup": context.args.flag("cleanup"),
        "iallocator": iallocator,
    });
    let op = context.opcode("OP_INSTANCE_FAILOVER", parameters)?;
    let question = format!("Instance {name} will be stopped and started on another node. Continue?");
    if !context.args.flag("force") && !confirm::yes(context.io, &question) {
        return Ok(FAILURE);
    }
    wait::run_quietly(context, op)
}
