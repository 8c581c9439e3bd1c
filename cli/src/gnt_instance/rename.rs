//! `gnt-instance rename`

use serde_json::json;

use crate::context::{Context, Outcome};
use crate::exit::SUCCESS;
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let new_name = context.args.arg(1).to_owned();
    let parameters = json!({
        "instance_name": context.name(),
        "new_name": new_name,
        "name_check": context.args.flag("name-check"),
        "ip_check": context.args.flag("ip-check"),
    });
    let op = context.opcode("OP_INSTANCE_RENAME", parameters)?;
    let result = wait::run(context, op)?;
    if let Some(name) = result.as_str() {
        context.io.line(format_args!("Instance '{}' renamed to '{name}'", context.args.arg(0)));
    }
    Ok(SUCCESS)
}
