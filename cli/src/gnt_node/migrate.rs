//! `gnt-node migrate`: migrates all primary instances of a node.

use serde_json::json;

use super::instances_of;
use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{CONFIRMATION, Failure, SUCCESS};
use crate::wait::{self, many};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let (node, instances) = instances_of(context, context.name().as_str(), &["pinst_list"])?;
    if instances.is_empty() {
        context.io.note(format_args!("No primary instances on node {node}, nothing to do."));
        return Ok(SUCCESS);
    }
    if !context.args.flag("force") && !confirm::yes(context.io, &format!("Migrate instance(s) {}?", instances.join(", "))) {
        return Ok(CONFIRMATION);
    }
    let mode = match (context.args.flag("non-live"), context.args.text("migration-mode")) {
        (true, Some(_)) => return Err(Failure::invalid("Only one of the --non-live and --migration-mode options can be given")),
        (true, None) => Some("non-live"),
        (false, mode) => mode,
    };
    let parameters = json!({
        "node_name": node,
        "mode": mode,
        "target_node": context.args.text("target-node"),
        "allow_runtime_changes": !context.args.flag("no-runtime-changes"),
        "ignore_ipolicy": context.args.flag("ignore-ipolicy"),
        "iallocator": context.args.text("iallocator"),
    });
    let op = context.opcode("OP_NODE_MIGRATE", parameters)?;
    let (_, results) = wait::run_with_jobs(context, op)?;
    Ok(many::conclude(context, &results, "All instances migrated successfully.", "There were {} errors during the node migration."))
}
