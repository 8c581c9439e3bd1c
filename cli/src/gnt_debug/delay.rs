//! `gnt-debug delay SECONDS`

use serde_json::json;

use crate::context::{Context, Outcome};
use crate::exit::Failure;
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let args = &context.args;
    let duration: f64 = args.arg(0).parse().map_err(|_| Failure::invalid(format!("Invalid duration '{}'", args.arg(0))))?;
    let parameters = json!({
        "duration": duration,
        "on_master": !args.flag("no-master"),
        "on_nodes": args.texts("n"),
        "repeat": args.int("repeat"),
        "interruptible": args.flag("interruptible"),
        "no_locks": args.flag("no-locks"),
    });
    let op = context.opcode("OP_TEST_DELAY", parameters)?;
    wait::run_quietly(context, op)
}
