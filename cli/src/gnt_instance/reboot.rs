//! `gnt-instance reboot`

use serde_json::json;

use super::select;
use crate::context::{Context, Outcome};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let parameters = json!({
        "reboot_type": context.args.text("type"),
        "ignore_secondaries": context.args.flag("ignore-secondaries"),
        "shutdown_timeout": context.args.int("shutdown-timeout"),
    });
    select::run(context, "reboot", "OP_INSTANCE_REBOOT", &parameters)
}
