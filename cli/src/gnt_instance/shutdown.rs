//! `gnt-instance shutdown`

use serde_json::json;

use super::select;
use crate::context::{Context, Outcome};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let parameters = json!({
        "force": context.args.flag("force"),
        "timeout": context.args.int("timeout"),
        "ignore_offline_nodes": context.args.flag("ignore-offline"),
        "no_remember": context.args.flag("no-remember"),
    });
    select::run(context, "shutdown", "OP_INSTANCE_SHUTDOWN", &parameters)
}
