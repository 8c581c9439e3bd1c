//! `gnt-cluster verify`

use serde_json::json;

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, SUCCESS};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let args = &context.args;
    let optional = [("no-nplus1-mem", "nplusone_mem"), ("no-hv-param-assessment", "hvparam_assessment")];
    let skipped: Vec<&str> = optional.iter().filter(|(id, _)| args.flag(id)).map(|(_, check)| *check).collect();
    let parameters = json!({
        "verbose": args.flag("verbose"),
        "error_codes": args.flag("error-codes"),
        "debug_simulate_errors": args.flag("debug-simulate-errors"),
        "skip_checks": skipped,
        "ignore_errors": args.texts("ignore-errors"),
        "group_name": args.text("node-group"),
        "verify_clutter": args.flag("verify-ssh-clutter"),
    });
    let op = context.opcode("OP_CLUSTER_VERIFY", parameters)?;
    let (_, results) = wait::run_with_jobs(context, op)?;
    let failed = results.iter().filter(|job| job.result.is_err()).count();
    // A job that found errors succeeds, with the result false.
    let found_errors = |job: &wait::JobResult| job.result.as_ref().is_ok_and(|results| results.first().is_none_or(|result| result != true));
    if failed > 0 {
        context.io.line(format_args!("{failed} job(s) failed while verifying the cluster."));
    }
    Ok(if failed == 0 && !results.iter().any(found_errors) { SUCCESS } else { FAILURE })
}
