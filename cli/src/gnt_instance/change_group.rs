//! `gnt-instance change-group`

use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::wait::{self, many};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let groups = context.args.texts("to");
    let parameters = json!({
        "instance_name": context.name(),
        "early_release": context.args.flag("early-release"),
        "iallocator": context.args.text("iallocator"),
        "target_groups": if groups.is_empty() { Value::Null } else { json!(groups) },
    });
    let op = context.opcode("OP_INSTANCE_CHANGE_GROUP", parameters)?;
    let (_, results) = wait::run_with_jobs(context, op)?;
    Ok(many::conclude(context, &results, "Instance changed group successfully.", "There were {} errors while changing the group."))
}
