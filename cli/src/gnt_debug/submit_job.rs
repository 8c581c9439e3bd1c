//! `gnt-debug submit-job FILE...`: each file holds a job as JSON, a list of opcodes.

use std::time::Instant;

use gannet_core::opcode::OpCode;
use serde_json::Value;

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};
use crate::wait::{JobResult, Jobs};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let repeat = |id: &str| usize::try_from(context.args.int(id).unwrap_or(1)).unwrap_or(0);
    let (job_repeat, op_repeat) = (repeat("job-repeat"), repeat("op-repeat"));
    let mut all = Vec::new();
    for path in context.args.positional() {
        let ops = read(context, path)?;
        let repeated: Vec<OpCode> = ops.iter().cycle().take(ops.len() * op_repeat).cloned().collect();
        all.extend((0..job_repeat).map(|_| (path.clone(), repeated.clone())));
    }
    let count = all.iter().map(|(_, ops)| ops.len()).sum::<usize>();
    let begin = Instant::now();
    let results = submit(context, all)?;
    if context.args.flag("timing-stats") {
        let seconds = begin.elapsed().as_secs_f64();
        context.io.line(format_args!("Jobs:    {}\nOpcodes: {count}\nTotal:   {seconds:.3} s", results.len()));
        context.io.line(format_args!("Rate:    {:.1} jobs/s, {:.1} opcodes/s", results.len() as f64 / seconds, count as f64 / seconds));
    }
    Ok(if results.iter().all(|job| job.result.is_ok()) { SUCCESS } else { FAILURE })
}

/// All in one call, or with `--each` one call for each job.
fn submit(context: &mut Context<'_>, all: Vec<(String, Vec<OpCode>)>) -> Result<Vec<JobResult>, Failure> {
    let verbose = context.args.flag("verbose");
    if !context.args.flag("each") {
        let mut jobs = Jobs::new(verbose);
        for (path, ops) in all {
            jobs.add(path, ops);
        }
        return jobs.run(context);
    }
    let mut submitted = Jobs::new(verbose);
    for (path, ops) in all {
        let mut one = Jobs::new(verbose);
        one.add(path, ops);
        submitted.join(one.submitted_in(context)?);
    }
    submitted.run(context)
}

fn read(context: &Context<'_>, path: &str) -> Result<Vec<OpCode>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io(format!("cannot read {path}"), error))?;
    let parsed: Value = serde_json::from_str(&text).map_err(|error| Failure::invalid(format!("{path} is not JSON: {error}")))?;
    let Value::Array(ops) = parsed else { return Err(Failure::invalid(format!("{path} must hold a list of opcodes"))) };
    let op = |mut op: Value| {
        let id = op.as_object_mut().and_then(|op| op.remove("OP_ID")).and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default();
        let opcode = context.opcode(&id, op).map_err(|error| Failure::invalid(format!("{path}: {error}")))?;
        opcode.check_submit().map_err(|error| Failure::invalid(format!("{path}: {error}")))?;
        Ok(opcode)
    };
    ops.into_iter().map(op).collect()
}
