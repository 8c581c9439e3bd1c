//! `gnt-os modify`: what the cluster keeps about an OS definition.

use serde_json::{Map, Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure};
use crate::{groups_of_params, wait};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let name = context.name();
    let of_os = |value: Value| Value::Object(Map::from_iter([(name.clone(), value)]));
    let dict = |id: &str| context.args.dict(id).filter(|dict| !dict.is_empty()).map(|dict| of_os(json!(dict)));
    let list_change = |id: &str| context.args.yes_no(id).map(|on| json!([[if on { "add" } else { "remove" }, name]]));
    let parameters = json!({
        "os_hvp": groups_of_params(&context.args, "hypervisor-parameters")?.map(of_os),
        "osparams": dict("os-parameters"),
        "osparams_private_cluster": dict("os-parameters-private"),
        "hidden_os": list_change("hidden"),
        "blacklisted_os": list_change("blacklisted"),
    });
    if parameters.as_object().is_some_and(|all| all.values().all(Value::is_null)) {
        context.io.note("Please give at least one of the parameters.");
        return Ok(FAILURE);
    }
    if name.is_empty() {
        return Err(Failure::invalid("The name of the OS is empty"));
    }
    let op = context.opcode("OP_CLUSTER_SET_PARAMS", parameters)?;
    wait::run_quietly(context, op)
}
