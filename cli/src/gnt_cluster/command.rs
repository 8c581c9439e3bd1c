//! `gnt-cluster command`: runs a shell command on the nodes.

use gannet_core::luxi::Method;
use gannet_core::query::format::python_str;
use serde_json::{Value, json};

use super::online_nodes;
use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, SUCCESS};

/// How long the command may take on a node, in seconds.
const TIMEOUT_S: u64 = 3600;
/// How much longer its answer is waited for: the nodes' limit should be the one that is met.
const MARGIN_S: u64 = 60;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let named: Vec<String> = context.args.texts("node").into_iter().map(str::to_owned).collect();
    let nodes = online_nodes(context, &named, false)?;
    let command = context.args.positional().join(" ");
    let answer = context.client()?.call_within(Method::RunCommand, &json!([nodes, command, TIMEOUT_S]), TIMEOUT_S + MARGIN_S)?;
    let mut code = SUCCESS;
    for row in answer.as_array().into_iter().flatten() {
        let node = row.get(0).map(python_str).unwrap_or_default();
        let exit = row.get(1).and_then(Value::as_i64).unwrap_or(-1);
        if exit != 0 {
            code = FAILURE;
        }
        if exit == 0 && context.args.flag("failure-only") {
            continue;
        }
        let output = row.get(2).map(python_str).unwrap_or_default();
        context.io.line("------------------------------------------------");
        print_output(context, &node, &output);
        context.io.line(format_args!("return code = {exit}"));
    }
    Ok(code)
}

/// The output of one node, with its name above it, or before every line.
pub(crate) fn print_output(context: &mut Context<'_>, node: &str, output: &str) {
    if context.args.flag("show-machine-names") {
        for line in output.lines() {
            context.io.line(format_args!("{node}: {line}"));
        }
    } else {
        context.io.line(format_args!("node: {node}"));
        context.io.line(output.strip_suffix('\n').unwrap_or(output));
    }
}
