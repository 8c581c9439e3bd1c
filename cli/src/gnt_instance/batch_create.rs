//! `gnt-instance batch-create`: the instances that a JSON file describes, placed together.
//!
//! The file holds a list of objects with the parameters of `OP_INSTANCE_CREATE`; `mode` is always `create`.

use serde_json::{Value, json};

use crate::context::{Context, Outcome, bare_opcode};
use crate::exit::Failure;
use crate::wait::{self, many};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let path = context.name();
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::io(format!("cannot read {path}"), error))?;
    let parsed: Value = serde_json::from_str(&text).map_err(|error| Failure::invalid(format!("{path} is not JSON: {error}")))?;
    let Value::Array(entries) = parsed else {
        return Err(Failure::invalid(format!("{path} must hold a list of instances")));
    };
    if entries.is_empty() {
        return Err(Failure::invalid(format!("{path} holds no instances")));
    }
    let instances = entries.into_iter().enumerate().map(|(number, entry)| instance(number, entry)).collect::<Result<Vec<_>, _>>()?;
    let parameters = json!({"iallocator": context.args.text("iallocator"), "instances": instances});
    let op = context.opcode("OP_INSTANCE_MULTI_ALLOC", parameters)?;
    let (result, jobs) = wait::run_with_jobs(context, op)?;
    let failed: Vec<&str> = result.get("failed").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if !failed.is_empty() {
        context.io.note(format_args!("No place was found for: {}", failed.join(", ")));
    }
    let code = many::conclude(context, &jobs, "All instances created successfully.", "There were {} errors during the creation.");
    Ok(if failed.is_empty() { code } else { crate::exit::FAILURE })
}

fn instance(number: usize, entry: Value) -> Result<Value, Failure> {
    let Value::Object(mut entry) = entry else {
        return Err(Failure::invalid(format!("Entry {number} is no object")));
    };
    entry.insert("mode".into(), json!("create"));
    for list in ["disks", "nics"] {
        entry.entry(list).or_insert_with(|| json!([]));
    }
    let name = entry.get("instance_name").and_then(Value::as_str).unwrap_or("without a name").to_owned();
    let op = bare_opcode("OP_INSTANCE_CREATE", Value::Object(entry))
        .map_err(|error| Failure::invalid(format!("Instance {name} (entry {number}): {error}")))?;
    serde_json::to_value(op).map_err(|error| Failure::invalid(error.to_string()))
}
