//! `gnt-node power` and `health`: through the out-of-band program of the nodes.

use gannet_core::query::format::{Column, python_str};
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{CONFIRMATION, FAILURE, Failure, SUCCESS};
use crate::{confirm, table, wait};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let action = context.name();
    let mut nodes = context.args.positional().get(1..).unwrap_or_default().to_vec();
    if nodes.is_empty() {
        if action != "status" {
            return Err(Failure::invalid(format!("Please give the nodes to power {action}")));
        }
        nodes = crate::gnt_cluster::all_nodes(context)?;
    }
    let force = context.args.flag("force");
    if action != "status" && !force && !confirm::operation(context.io, &nodes, "nodes", &format!("power {action}"), "") {
        return Ok(CONFIRMATION);
    }
    let parameters = json!({
        "node_names": nodes,
        "command": format!("power-{action}"),
        "ignore_status": context.args.flag("ignore-status"),
        "timeout": context.args.int("oob-timeout"),
        "power_delay": context.args.float("power-delay"),
    });
    ask(context, parameters, |value| match value {
        Value::Object(state) => match state.get("powered").and_then(Value::as_bool) {
            Some(true) => "powered".into(),
            Some(false) => "unpowered".into(),
            None => "unknown".into(),
        },
        Value::Null => "success".into(),
        other => python_str(other),
    })
}

pub(super) fn health(context: &mut Context<'_>) -> Outcome {
    let parameters = json!({"node_names": context.args.positional(), "command": "health", "timeout": context.args.int("oob-timeout")});
    ask(context, parameters, |value| match value.as_array() {
        Some(items) => {
            let item =
                |item: &Value| item.as_array().map(|pair| pair.iter().map(python_str).collect::<Vec<_>>().join("=")).unwrap_or_default();
            items.iter().map(item).collect::<Vec<_>>().join(", ")
        }
        None => python_str(value),
    })
}

/// Runs the command and prints the answer of each node: `[[status, node], [status, result]]`; status 0 is fine.
fn ask(context: &mut Context<'_>, parameters: Value, shown: impl Fn(&Value) -> String) -> Outcome {
    let op = context.opcode("OP_OOB_COMMAND", parameters)?;
    let result = wait::run(context, op)?;
    let mut code = SUCCESS;
    let mut rows = Vec::new();
    for row in result.as_array().into_iter().flatten() {
        let cell = |at: usize, part: usize| row.get(at).and_then(|cell| cell.get(part)).cloned().unwrap_or_default();
        let is_fine = cell(1, 0) == json!(0);
        if !is_fine {
            code = FAILURE;
        }
        rows.push(vec![python_str(&cell(0, 1)), if is_fine { shown(&cell(1, 1)) } else { "error".into() }]);
    }
    let columns = ["Node", "Status"].map(|title| Column { title: title.into(), right: false });
    table::print_rows(context, &columns, &rows);
    Ok(code)
}
