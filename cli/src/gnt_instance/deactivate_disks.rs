//! `gnt-instance deactivate-disks`

use serde_json::json;

use crate::context::{Context, Outcome};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let parameters = json!({"instance_name": context.name(), "force": context.args.flag("force")});
    let op = context.opcode("OP_INSTANCE_DEACTIVATE_DISKS", parameters)?;
    wait::run_quietly(context, op)
}
