//! `gnt-group evacuate`

use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::wait::{self, many};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let groups = context.args.texts("to");
    let parameters = json!({
        "group_name": context.name(),
        "early_release": context.args.flag("early-release"),
        "iallocator": context.args.text("iallocator"),
        "target_groups": if groups.is_empty() { Value::Null } else { json!(groups) },
        "sequential": context.args.flag("sequential"),
        "force_failover": context.args.flag("force-failover"),
    });
    let op = context.opcode("OP_GROUP_EVACUATE", parameters)?;
    let (_, results) = wait::run_with_jobs(context, op)?;
    Ok(many::conclude(context, &results, "All instances evacuated successfully.", "There were {} errors during the evacuation."))
}
