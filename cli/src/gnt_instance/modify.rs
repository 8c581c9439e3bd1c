//! `gnt-instance modify`

use gannet_core::query::format::python_str;
use serde_json::{Value, json};

use super::device;
use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};
use crate::wait;

/// Options that ask for a change.
const CHANGES: [&str; 18] = [
    "backend-parameters",
    "hypervisor-parameters",
    "net",
    "disk",
    "disk-template",
    "new-primary",
    "os-type",
    "os-parameters",
    "os-parameters-private",
    "offline",
    "online",
    "runtime-memory",
    "ext-params",
    "communication",
    "file-driver",
    "file-storage-dir",
    "node",
    "iallocator",
];

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    if !CHANGES.iter().any(|id| context.args.given(id)) {
        context.io.note("Please give at least one of the parameters.");
        return Ok(FAILURE);
    }
    let parameters = parameters(context)?;
    let op = context.opcode("OP_INSTANCE_SET_PARAMS", parameters)?;
    let result = wait::run(context, op)?;
    let changes: Vec<(String, String)> = result.as_array().into_iter().flatten().filter_map(change).collect();
    if !changes.is_empty() {
        context.io.line(format_args!("Modified instance {}", context.name()));
        for (name, value) in changes {
            context.io.line(format_args!(" - {name:<5} -> {value}"));
        }
        context.io.line("Most parameters count only from the next start by `gnt-instance startup` or `reboot` on.");
    }
    Ok(SUCCESS)
}

fn change(pair: &Value) -> Option<(String, String)> {
    Some((python_str(pair.get(0)?), python_str(pair.get(1)?)))
}

fn parameters(context: &Context<'_>) -> Result<Value, Failure> {
    let args = &context.args;
    let dict = |id: &str| args.dict(id).cloned().unwrap_or_default();
    let offline = match (args.flag("offline"), args.flag("online")) {
        (true, true) => return Err(Failure::invalid("Give either --offline or --online, not both")),
        (true, false) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    };
    Ok(json!({
        "instance_name": context.name(),
        "force": args.flag("force"),
        "force_variant": args.flag("force-variant"),
        "ignore_ipolicy": args.flag("ignore-ipolicy"),
        "nics": nics(context)?,
        "disks": disks(context)?,
        "beparams": dict("backend-parameters"),
        "hvparams": dict("hypervisor-parameters"),
        "runtime_mem": args.mib("runtime-memory"),
        "disk_template": args.text("disk-template"),
        "ext_params": dict("ext-params"),
        "file_driver": args.text("file-driver"),
        "file_storage_dir": args.text("file-storage-dir"),
        "pnode": args.text("new-primary"),
        "remote_node": args.text("node"),
        "iallocator": args.text("iallocator"),
        "os_name": args.text("os-type"),
        "osparams": dict("os-parameters"),
        "osparams_private": args.dict("os-parameters-private"),
        "wait_for_sync": !args.flag("no-wait-for-sync"),
        "offline": offline,
        "conflicts_check": !args.flag("no-conflicts-check"),
        "hotplug": !args.flag("no-hotplug"),
        "instance_communication": args.yes_no("communication"),
    }))
}

fn nics(context: &Context<'_>) -> Result<Vec<Value>, Failure> {
    context.args.idents("net").into_iter().map(|ident| Ok(json!(device::modification(ident)?))).collect()
}

fn disks(context: &Context<'_>) -> Result<Vec<Value>, Failure> {
    let change = |ident| {
        let (action, target, mut params) = device::modification(ident)?;
        device::convert_disk(&mut params, &ident.name)?;
        if action == "add" && !params.contains_key("size") && !params.contains_key("adopt") {
            return Err(Failure::invalid("Missing required parameter 'size'"));
        }
        Ok(json!([action, target, params]))
    };
    context.args.idents("disk").into_iter().map(change).collect()
}
