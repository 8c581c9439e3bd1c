//! `gnt-node evacuate`

use serde_json::json;

use super::instances_of;
use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{CONFIRMATION, Failure, SUCCESS};
use crate::wait::{self, many};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let (mode, fields) = mode(context)?;
    let (node, instances) = instances_of(context, context.name().as_str(), fields)?;
    if instances.is_empty() {
        context.io.note(format_args!("No instances to evacuate on node {node}"));
        return Ok(SUCCESS);
    }
    let question = format!("Move instance(s) {} away from node {node}?", instances.join(", "));
    if !context.args.flag("force") && !confirm::yes(context.io, &question) {
        return Ok(CONFIRMATION);
    }
    let parameters = json!({
        "node_name": node,
        "mode": mode,
        "remote_node": context.args.text("new-secondary"),
        "iallocator": context.args.text("iallocator"),
        "early_release": context.args.flag("early-release"),
        "ignore_soft_errors": context.args.flag("ignore-soft-errors"),
    });
    let op = context.opcode("OP_NODE_EVACUATE", parameters)?;
    let (_, results) = wait::run_with_jobs(context, op)?;
    Ok(many::conclude(context, &results, "All instances evacuated successfully.", "There were {} errors during the evacuation."))
}

/// The mode and the fields with the instances it means.
fn mode(context: &mut Context<'_>) -> Result<(&'static str, &'static [&'static str]), Failure> {
    let (primary, secondary) = (context.args.flag("primary-only"), context.args.flag("secondary-only"));
    if context.args.given("new-secondary") {
        if primary {
            return Err(Failure::invalid("A new secondary node (-n) cannot be given with --primary-only"));
        }
        context.io.note("New secondary node given, hence only secondary instances are evacuated");
        return Ok(("secondary-only", &["sinst_list"]));
    }
    match (primary, secondary) {
        (true, true) => Err(Failure::invalid("Only one of the --primary-only and --secondary-only options can be passed")),
        (true, false) => Ok(("primary-only", &["pinst_list"])),
        (false, true) => Ok(("secondary-only", &["sinst_list"])),
        (false, false) => Ok(("all", &["pinst_list", "sinst_list"])),
    }
}
