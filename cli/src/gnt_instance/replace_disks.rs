//! `gnt-instance replace-disks`

use serde_json::json;

use crate::context::{Context, Outcome};
use crate::exit::Failure;
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let parameters = json!({
        "instance_name": context.name(),
        "mode": mode(context)?,
        "disks": disks(context)?,
        "early_release": context.args.flag("early-release"),
        "ignore_ipolicy": context.args.flag("ignore-ipolicy"),
        "remote_node": context.args.text("new-secondary"),
        "iallocator": context.args.text("iallocator"),
    });
    let op = context.opcode("OP_INSTANCE_REPLACE_DISKS", parameters)?;
    wait::run_quietly(context, op)
}

fn mode(context: &Context<'_>) -> Result<&'static str, Failure> {
    let new_node = context.args.given("new-secondary") || context.args.given("iallocator");
    let modes = [
        (context.args.flag("on-primary"), "replace_on_primary"),
        (context.args.flag("on-secondary"), "replace_on_secondary"),
        (context.args.flag("auto"), "replace_auto"),
        (new_node, "replace_new_secondary"),
    ];
    let chosen: Vec<&str> = modes.iter().filter(|(given, _)| *given).map(|(_, mode)| *mode).collect();
    match chosen.as_slice() {
        [mode] => Ok(modes.iter().find(|(_, name)| name == mode).map_or("replace_auto", |(_, name)| name)),
        _ => Err(Failure::invalid("One and only one of the -p, -s, -a, -n and -I options must be passed")),
    }
}

fn disks(context: &Context<'_>) -> Result<Vec<u8>, Failure> {
    let words = context.args.words("disks").unwrap_or_default();
    words.iter().map(|word| word.parse().map_err(|_| Failure::invalid(format!("Invalid disk index passed: '{word}'")))).collect()
}
