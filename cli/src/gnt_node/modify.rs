//! `gnt-node modify`

use gannet_core::query::format::python_str;
use serde_json::json;

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, SUCCESS};
use crate::{groups_of_params, wait};

const CHANGES: [&str; 10] = [
    "master-candidate",
    "drained",
    "offline",
    "master-capable",
    "vm-capable",
    "secondary-ip",
    "node-parameters",
    "node-powered",
    "hypervisor-state",
    "disk-state",
];

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let args = &context.args;
    if !CHANGES.iter().any(|id| args.given(id)) {
        context.io.note("Please give at least one of the parameters.");
        return Ok(FAILURE);
    }
    let parameters = json!({
        "node_name": context.name(),
        "force": args.flag("force"),
        "auto_promote": args.flag("auto-promote"),
        "master_candidate": args.yes_no("master-candidate"),
        "offline": args.yes_no("offline"),
        "drained": args.yes_no("drained"),
        "master_capable": args.yes_no("master-capable"),
        "vm_capable": args.yes_no("vm-capable"),
        "secondary_ip": args.text("secondary-ip"),
        "ndparams": args.dict("node-parameters"),
        "powered": args.yes_no("node-powered"),
        "hv_state": groups_of_params(args, "hypervisor-state")?,
        "disk_state": groups_of_params(args, "disk-state")?,
    });
    let op = context.opcode("OP_NODE_SET_PARAMS", parameters)?;
    let result = wait::run(context, op)?;
    let changes = result.as_array().map(Vec::as_slice).unwrap_or_default();
    if !changes.is_empty() {
        context.io.line(format_args!("Modified node {}", context.name()));
        for change in changes {
            let part = |at: usize| change.get(at).map(python_str).unwrap_or_default();
            context.io.line(format_args!(" - {:<5} -> {}", part(0), part(1)));
        }
    }
    Ok(SUCCESS)
}
