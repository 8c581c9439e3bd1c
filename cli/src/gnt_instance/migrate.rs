//! `gnt-instance migrate`

use serde_json::json;

use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let name = context.name();
    let (iallocator, target) = (context.args.text("iallocator"), context.args.text("target-node"));
    if iallocator.is_some() && target.is_some() {
        return Err(Failure::invalid("Specify either an iallocator (-I), or a target node (-n) but not both"));
    }
    let parameters = json!({
        "instance_name": name,
        "mode": mode(context)?,
        "target_node": target,
        "allow_runtime_changes": !context.args.flag("no-runtime-changes"),
        "ignore_ipolicy": context.args.flag("ignore-ipolicy"),
        "cleanup": context.args.flag("cleanup"),
        "iallocator": iallocator,
        "allow_failover": context.args.flag("allow-failover"),
        "ignore_hvversions": context.args.flag("ignore-hvversions"),
    });
    let op = context.opcode("OP_INSTANCE_MIGRATE", parameters)?;
    let question = match context.args.flag("cleanup") {
        true => format!("The records of instance {name} will be repaired after a migration that was interrupted. Continue?"),
        false => format!("Instance {name} will be migrated. A fault of the hypervisor on the way can stop the guest. Continue?"),
    };
    if !context.args.flag("force") && !confirm::yes(context.io, &question) {
        return Ok(FAILURE);
    }
    wait::run_quietly(context, op)
}

/// `--migration-mode`, or the older `--non-live`.
pub(crate) fn mode(context: &Context<'_>) -> Result<Option<String>, Failure> {
    match (context.args.flag("non-live"), context.args.text("migration-mode")) {
        (true, Some(_)) => Err(Failure::invalid("Only one of the --non-live and --migration-mode options can be given")),
        (true, None) => Ok(Some("non-live".into())),
        (false, mode) => Ok(mode.map(str::to_owned)),
    }
}
