//! `gnt-instance startup`

use serde_json::json;

use super::select;
use crate::context::{Context, Outcome};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let parameters = json!({
        "force": context.args.flag("force"),
        "ignore_offline_nodes": context.args.flag("ignore-offline"),
        "no_remember": context.args.flag("no-remember"),
        "startup_paused": context.args.flag("paused"),
        "hvparams": context.args.dict("hypervisor-parameters").cloned().unwrap_or_default(),
        "beparams": context.args.dict("backend-parameters").cloned().unwrap_or_default(),
    });
    select::run(context, "startup", "OP_INSTANCE_STARTUP", &parameters)
}
