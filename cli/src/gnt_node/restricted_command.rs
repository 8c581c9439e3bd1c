//! `gnt-node restricted-command`

use gannet_core::query::format::python_str;
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, SUCCESS};
use crate::{gnt_cluster, wait};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let named = context.args.positional().get(1..).unwrap_or_default().to_vec();
    let nodes = gnt_cluster::online_nodes(context, &named, false)?;
    let parameters = json!({"nodes": nodes, "command": context.name(), "use_locking": context.args.flag("sync")});
    let op = context.opcode("OP_RESTRICTED_COMMAND", parameters)?;
    let result = wait::run(context, op)?;
    let mut code = SUCCESS;
    for (node, outcome) in nodes.iter().zip(result.as_array().into_iter().flatten()) {
        let output = outcome.get(1).map(python_str).unwrap_or_default();
        if outcome.get(0).and_then(Value::as_bool) != Some(true) {
            code = FAILURE;
            context.io.note(format_args!("{node}: {output}"));
        } else {
            gnt_cluster::print_output(context, node, &output);
        }
    }
    Ok(code)
}
