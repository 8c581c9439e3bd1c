//! `gnt-instance activate-disks`: brings the disks up and prints where: `node:name in the instance:device`.

use gannet_core::query::format::python_str;
use serde_json::json;

use crate::context::{Context, Outcome};
use crate::exit::SUCCESS;
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let parameters = json!({
        "instance_name": context.name(),
        "ignore_size": context.args.flag("ignore-size"),
        "wait_for_sync": context.args.flag("wait-for-sync"),
    });
    let op = context.opcode("OP_INSTANCE_ACTIVATE_DISKS", parameters)?;
    let disks = wait::run(context, op)?;
    for disk in disks.as_array().into_iter().flatten().filter_map(|disk| disk.as_array()) {
        let parts: Vec<String> = disk.iter().map(python_str).collect();
        context.io.line(parts.join(":"));
    }
    Ok(SUCCESS)
}
