//! `gnt-group` add, modify, rename, remove.

use gannet_core::query::format::python_str;
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};
use crate::{groups_of_params, policy, wait};

pub(super) fn add(context: &mut Context<'_>) -> Outcome {
    let parameters = settings(context)?;
    let op = context.opcode("OP_GROUP_ADD", parameters)?;
    wait::run_quietly(context, op)
}

pub(super) fn modify(context: &mut Context<'_>) -> Outcome {
    let parameters = settings(context)?;
    let is_nothing = parameters.as_object().is_some_and(|all| all.iter().all(|(key, value)| key == "group_name" || value.is_null()));
    if is_nothing {
        context.io.note("Please give at least one of the parameters.");
        return Ok(FAILURE);
    }
    let op = context.opcode("OP_GROUP_SET_PARAMS", parameters)?;
    let result = wait::run(context, op)?;
    let changes = result.as_array().map(Vec::as_slice).unwrap_or_default();
    if !changes.is_empty() {
        context.io.line(format_args!("Modified node group {}", context.name()));
        for change in changes {
            let part = |at: usize| change.get(at).map(python_str).unwrap_or_default();
            context.io.line(format_args!(" - {:<5} -> {}", part(0), part(1)));
        }
    }
    Ok(SUCCESS)
}

pub(super) fn rename(context: &mut Context<'_>) -> Outcome {
    let op = context.opcode("OP_GROUP_RENAME", json!({"group_name": context.name(), "new_name": context.args.arg(1)}))?;
    wait::run_quietly(context, op)
}

pub(super) fn remove(context: &mut Context<'_>) -> Outcome {
    let op = context.opcode("OP_GROUP_REMOVE", json!({"group_name": context.name()}))?;
    wait::run_quietly(context, op)
}

/// The settings of a group as parameters; null is what was not given.
fn settings(context: &Context<'_>) -> Result<Value, Failure> {
    let args = &context.args;
    Ok(json!({
        "group_name": context.name(),
        "alloc_policy": args.text("alloc-policy"),
        "ndparams": args.dict("node-parameters"),
        "diskparams": groups_of_params(args, "disk-parameters")?,
        "hv_state": groups_of_params(args, "hypervisor-state")?,
        "disk_state": groups_of_params(args, "disk-state")?,
        "ipolicy": policy::from_options(args, None)?,
    }))
}
