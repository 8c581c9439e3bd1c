//! `gnt-cluster verify-disks`: brings up disks of instances that are down.

use gannet_core::query::format::python_str;
use serde_json::{Map, Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let parameters = json!({"group_name": context.args.text("node-group"), "is_strict": !context.args.flag("no-strict")});
    let op = context.opcode("OP_CLUSTER_VERIFY_DISKS", parameters)?;
    let (_, results) = wait::run_with_jobs(context, op)?;
    let mut code = SUCCESS;
    for job in results {
        code = code.max(match job.result {
            Ok(results) => group(context, &results.into_iter().next().unwrap_or_default())?,
            Err(_) => FAILURE,
        });
    }
    Ok(code)
}

/// `[{bad node: error}, [instance with disks down], {instance: [[node, volume], …]}]`
fn group(context: &mut Context<'_>, result: &Value) -> Result<u8, Failure> {
    let none = Map::new();
    let bad_nodes = result[0].as_object().unwrap_or(&none);
    let missing = result[2].as_object().unwrap_or(&none);
    let mut code = SUCCESS;
    for (node, error) in bad_nodes {
        context.io.line(format_args!("Error gathering data on node {node}: {}", python_str(error)));
        code = FAILURE;
    }
    if !bad_nodes.is_empty() {
        context.io.line("You need to fix these nodes first before fixing instances");
    }
    let down: Vec<&str> =
        result[1].as_array().into_iter().flatten().filter_map(Value::as_str).filter(|name| !missing.contains_key(*name)).collect();
    for name in &down {
        context.io.line(format_args!("Activating disks for instance '{name}'"));
        code = code.max(activate(context, name)?);
    }
    for (name, volumes) in missing {
        tell_missing(context, name, volumes, bad_nodes);
    }
    if !missing.is_empty() {
        context
            .io
            .line("You need to replace or recreate disks for all the above instances if this message persists after fixing broken nodes.");
        code = FAILURE;
    } else if down.is_empty() {
        context.io.line("No disks need to be activated.");
    }
    Ok(code)
}

fn activate(context: &mut Context<'_>, name: &str) -> Result<u8, Failure> {
    let op = context.opcode("OP_INSTANCE_ACTIVATE_DISKS", json!({"instance_name": name}))?;
    match wait::run(context, op) {
        Ok(_) => Ok(SUCCESS),
        Err(failure @ Failure::Remote(_)) => {
            context.io.note(format_args!("Error activating disks for instance {name}: {}", failure.message().unwrap_or_default()));
            Ok(FAILURE)
        }
        Err(other) => Err(other),
    }
}

fn tell_missing(context: &mut Context<'_>, name: &str, volumes: &Value, bad_nodes: &Map<String, Value>) {
    let volumes: Vec<(String, String)> = volumes
        .as_array()
        .into_iter()
        .flatten()
        .map(|pair| (pair.get(0).map(python_str).unwrap_or_default(), pair.get(1).map(python_str).unwrap_or_default()))
        .collect();
    if volumes.iter().all(|(node, _)| bad_nodes.contains_key(node)) {
        context.io.line(format_args!("Instance {name} cannot be verified as it lives on broken nodes"));
        return;
    }
    context.io.line(format_args!("Instance {name} has missing logical volumes:"));
    for (node, volume) in volumes {
        let broken = if bad_nodes.contains_key(&node) { "broken node " } else { "" };
        context.io.line(format_args!("\t{broken}{node} /dev/{volume}"));
    }
}
