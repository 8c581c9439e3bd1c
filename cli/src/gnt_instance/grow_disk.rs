//! `gnt-instance grow-disk INSTANCE DISK AMOUNT`

use serde_json::json;

use crate::context::{Context, Outcome};
use crate::exit::Failure;
use crate::parse::parse_unit;
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let disk: u8 = context.args.arg(1).parse().map_err(|_| Failure::invalid(format!("Invalid disk index: '{}'", context.args.arg(1))))?;
    let amount = parse_unit(context.args.arg(2))
        .map_err(|error| Failure::invalid(format!("Can't parse the given amount '{}': {error}", context.args.arg(2))))?;
    let parameters = json!({
        "instance_name": context.name(),
        "disk": disk,
        "amount": amount,
        "wait_for_sync": !context.args.flag("no-wait-for-sync"),
        "absolute": context.args.flag("absolute"),
        "ignore_ipolicy": context.args.flag("ignore-ipolicy"),
    });
    let op = context.opcode("OP_INSTANCE_GROW_DISK", parameters)?;
    wait::run_quietly(context, op)
}
