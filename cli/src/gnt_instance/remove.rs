//! `gnt-instance remove`

use gannet_core::luxi::Method;
use serde_json::json;

use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::FAILURE;
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let name = context.name();
    let parameters = json!({
        "instance_name": name,
        "shutdown_timeout": context.args.int("shutdown-timeout"),
        "ignore_failures": context.args.flag("ignore-failures"),
    });
    let op = context.opcode("OP_INSTANCE_REMOVE", parameters)?;
    if !context.args.flag("force") {
        // A name that does not exist is refused before the question.
        context.call(Method::QueryInstances, &json!([[name], ["name"], false]))?;
        let question = format!("The disks of instance {name} will be removed with all their data, mirrors too. Continue?");
        if !confirm::yes(context.io, &question) {
            return Ok(FAILURE);
        }
    }
    wait::run_quietly(context, op)
}
