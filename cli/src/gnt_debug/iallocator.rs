//! `gnt-debug iallocator`: what an instance allocator is asked and answers.

use gannet_core::query::format::python_str;
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};
use crate::parse::parse_unit;
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let args = &context.args;
    let sizes = args.words("disks").unwrap_or_default();
    let size = |text: &&str| parse_unit(text).map_err(|error| Failure::invalid(format!("Invalid disks parameter '{text}': {error}")));
    let disks = sizes.iter().map(|text| Ok(json!({"size": size(text)?, "mode": "w"}))).collect::<Result<Vec<Value>, Failure>>()?;
    let nics: Vec<Value> =
        args.words("nics").unwrap_or_default().iter().map(|mac| json!({"mac": mac, "ip": null, "bridge": null})).collect();
    let groups = args.texts("target-groups");
    let mode = args.text("mode").unwrap_or("relocate");
    let parameters = json!({
        "direction": args.text("dir"),
        "mode": mode,
        "name": args.arg(0),
        "instances": if matches!(mode, "node-evacuate" | "change-group" | "multi-allocate") { json!(args.positional()) } else { Value::Null },
        "memory": args.mib("memory"),
        "disks": disks,
        "disk_template": args.text("disk-template"),
        "os": args.text("os-type"),
        "vcpus": args.int("vcpus"),
        "tags": args.words("tags").unwrap_or_default(),
        "nics": nics,
        "iallocator": args.text("iallocator"),
        "evac_mode": args.text("evac-mode"),
        "target_groups": if groups.is_empty() { Value::Null } else { json!(groups) },
        "spindle_use": args.int("spindle-use"),
        "count": args.int("count"),
    });
    let op = context.opcode("OP_TEST_ALLOCATOR", parameters)?;
    let result = wait::run(context, op)?;
    context.io.line(python_str(&result));
    Ok(SUCCESS)
}
