//! `gnt-node failover`: fails all primary instances of a node over.

use serde_json::json;

use super::instances_of;
use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, SUCCESS};
use crate::wait::Jobs;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let (node, instances) = instances_of(context, context.name().as_str(), &["pinst_list"])?;
    if instances.is_empty() {
        context.io.note(format_args!("No primary instances on node {node}, nothing to do."));
        return Ok(SUCCESS);
    }
    let question = format!("Fail instance(s) {} over? They are stopped and started on another node.", instances.join(", "));
    if !context.args.flag("force") && !confirm::yes(context.io, &question) {
        return Ok(FAILURE);
    }
    let mut jobs = Jobs::new(true);
    let count = instances.len();
    for name in instances {
        let parameters = json!({
            "instance_name": name,
            "ignore_consistency": context.args.flag("ignore-consistency"),
            "iallocator": context.args.text("iallocator"),
        });
        jobs.add(name, vec![context.opcode("OP_INSTANCE_FAILOVER", parameters)?]);
    }
    let results = jobs.run(context)?;
    match results.iter().filter(|job| job.result.is_err()).count() {
        0 => {
            context.io.line(format_args!("All {count} instance(s) failed over successfully."));
            Ok(SUCCESS)
        }
        bad => {
            context.io.line(format_args!("There were errors during the failover:\n{bad} error(s) out of {count} instance(s)."));
            Ok(FAILURE)
        }
    }
}
