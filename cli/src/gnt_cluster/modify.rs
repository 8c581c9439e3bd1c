//! `gnt-cluster modify`

use serde_json::{Value, json};

use super::settings;
use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};
use crate::wait::{self, Jobs};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let mut parameters = settings::from_options(&context.args, None)?;
    more(context, &mut parameters)?;
    if parameters.as_object().is_some_and(|all| all.values().all(Value::is_null)) {
        context.io.note("Please give at least one of the parameters.");
        return Ok(FAILURE);
    }
    parameters["force"] = json!(context.args.flag("force"));
    let op = context.opcode("OP_CLUSTER_SET_PARAMS", parameters)?;
    let result = wait::run(context, op)?;
    let mut jobs = Jobs::new(false);
    for pair in result.get("jobs").and_then(Value::as_array).into_iter().flatten() {
        jobs.add_submitted(pair[0] == true, &pair[1]);
    }
    let results = jobs.wait(context)?;
    Ok(if results.iter().all(|job| job.result.is_ok()) { SUCCESS } else { FAILURE })
}

/// What only an existing cluster can change.
fn more(context: &Context<'_>, parameters: &mut Value) -> Result<(), Failure> {
    let args = &context.args;
    parameters["max_running_jobs"] = json!(args.int("max-running-jobs"));
    parameters["max_tracked_jobs"] = json!(args.int("max-tracked-jobs"));
    parameters["add_uids"] = json!(args.text("add-uids").map(settings::uid_ranges).transpose()?);
    parameters["remove_uids"] = json!(args.text("remove-uids").map(settings::uid_ranges).transpose()?);
    parameters["reserved_lvs"] = json!(args.words("reserved-lvs"));
    parameters["modify_etc_hosts"] = json!(args.yes_no("modify-etc-hosts"));
    parameters["instance_communication_network"] = json!(args.text("instance-communication-network"));
    if let Some(collectors) = args.dict("enabled-data-collectors").filter(|dict| !dict.is_empty()) {
        let switch = |(name, value): (&String, &Value)| match value {
            Value::Bool(on) => Ok((name.clone(), *on)),
            value => crate::parse::parse_yes_no(value.as_str().unwrap_or_default()).map(|on| (name.clone(), on)).map_err(Failure::invalid),
        };
        let collectors = collectors.iter().map(switch).collect::<Result<std::collections::BTreeMap<_, _>, _>>()?;
        parameters["enabled_data_collectors"] = json!(collectors);
    }
    if let Some(intervals) = args.dict("data-collector-interval").filter(|dict| !dict.is_empty()) {
        // On the wire in microseconds.
        let interval = |(name, value): (&String, &Value)| {
            let seconds: Option<f64> = value.as_str().and_then(|text| text.parse().ok()).filter(|seconds: &f64| *seconds > 0.0);
            let seconds = seconds.ok_or_else(|| Failure::invalid(format!("Invalid interval of data collector {name}: {value}")))?;
            Ok((name.clone(), (seconds * 1e6) as i64))
        };
        let intervals = intervals.iter().map(interval).collect::<Result<std::collections::BTreeMap<_, _>, Failure>>()?;
        parameters["data_collector_interval"] = json!(intervals);
    }
    Ok(())
}
