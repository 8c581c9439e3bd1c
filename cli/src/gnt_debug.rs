//! `gnt-debug`: tests of the daemons.

mod delay;
mod iallocator;
mod locks;
mod submit_job;
mod test_jobqueue;

use serde_json::json;

use crate::context::{Context, Outcome};
use crate::{Built, wait};

/// What carries out the sub-command `name`.
pub(crate) fn built(name: &str) -> Option<Built> {
    Some(match name {
        "delay" => Built::new(delay::run),
        "iallocator" => Built::new(iallocator::run),
        "locks" => Built::new(locks::run),
        "submit-job" => Built::new(submit_job::run),
        "test-jobqueue" => Built::new(test_jobqueue::run),
        "test-osparams" => Built::new(test_osparams),
        _ => return None,
    })
}

fn test_osparams(context: &mut Context<'_>) -> Outcome {
    let op = context.opcode("OP_TEST_OS_PARAMS", json!({"osparams_secret": context.args.dict("os-parameters-secret")}))?;
    wait::run_quietly(context, op)
}
