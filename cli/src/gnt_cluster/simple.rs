//! Sub-commands of a few lines: master, version, rename, redistribution, tag search.

use gannet_core::luxi::Method;
use gannet_core::query::format::python_str;
use serde_json::{Value, json};

use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{CONFIRMATION, FAILURE, Failure, SUCCESS};
use crate::wait;

/// Answers on every node, also while no master runs.
pub(super) fn getmaster(context: &mut Context<'_>) -> Outcome {
    let path = context.env.paths().ssconf("master_node");
    match std::fs::read_to_string(&path) {
        Ok(name) => context.io.line(name.trim()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Failure::NotCluster),
        Err(error) => return Err(Failure::io(format!("cannot read {}", path.display()), error)),
    }
    Ok(SUCCESS)
}

pub(super) fn master_ping(context: &mut Context<'_>) -> Outcome {
    match context.call(Method::QueryConfigValues, &json!([["cluster_name"]])) {
        Ok(_) => Ok(SUCCESS),
        Err(failure) => {
            context.io.note(failure.message().unwrap_or_default());
            Ok(FAILURE)
        }
    }
}

pub(super) fn version(context: &mut Context<'_>) -> Outcome {
    const LINES: [(&str, &str); 6] = [
        ("Software version", "software_version"),
        ("Internode protocol", "protocol_version"),
        ("Configuration format", "config_version"),
        ("OS api version", "os_api_version"),
        ("Export interface", "export_version"),
        ("VCS version", "vcs_version"),
    ];
    let info = context.call(Method::QueryClusterInfo, &json!([]))?;
    for (label, key) in LINES {
        context.io.line(format_args!("{label}: {}", python_str(&info[key])));
    }
    Ok(SUCCESS)
}

pub(super) fn rename(context: &mut Context<'_>) -> Outcome {
    let name = context.name();
    let old = context.call(Method::QueryConfigValues, &json!([["cluster_name"]]))?;
    let old = old.get(0).map(python_str).unwrap_or_default();
    let question = format!("The cluster {old} gets the name {name}. Over a connection to its address you may be cut off. Continue?");
    if !context.args.flag("force") && !confirm::yes(context.io, &question) {
        return Ok(FAILURE);
    }
    let op = context.opcode("OP_CLUSTER_RENAME", json!({"name": name}))?;
    if let Some(new) = wait::run(context, op)?.as_str() {
        context.io.line(format_args!("Cluster renamed from '{old}' to '{new}'"));
    }
    Ok(SUCCESS)
}

pub(super) fn redist_conf(context: &mut Context<'_>) -> Outcome {
    let op = context.opcode("OP_CLUSTER_REDIST_CONF", json!({}))?;
    if context.args.flag("yes-do-it") {
        // Then it goes past a drained queue.
        let job = context.call(Method::SubmitJobToDrainedQueue, &json!([[op]]))?;
        let job = job.as_u64().map(gannet_core::id::JobId).ok_or_else(|| Failure::Refused(format!("{job} is no job id")))?;
        return wait::follow(context, job).map(|_| SUCCESS);
    }
    wait::run_quietly(context, op)
}

pub(super) fn activate_master_ip(context: &mut Context<'_>) -> Outcome {
    let op = context.opcode("OP_CLUSTER_ACTIVATE_MASTER_IP", json!({}))?;
    wait::run_quietly(context, op)
}

pub(super) fn deactivate_master_ip(context: &mut Context<'_>) -> Outcome {
    let question = "Clients and this session lose the master's address. Continue?";
    if !context.args.flag("yes") && !confirm::yes(context.io, question) {
        return Ok(CONFIRMATION);
    }
    let op = context.opcode("OP_CLUSTER_DEACTIVATE_MASTER_IP", json!({}))?;
    wait::run_quietly(context, op)
}

pub(super) fn repair_disk_sizes(context: &mut Context<'_>) -> Outcome {
    let op = context.opcode("OP_CLUSTER_REPAIR_DISK_SIZES", json!({"instances": context.args.positional()}))?;
    wait::run_quietly(context, op)
}

/// Prints `path tag` for each; 1 when there is none.
pub(super) fn search_tags(context: &mut Context<'_>) -> Outcome {
    let op = context.opcode("OP_TAGS_SEARCH", json!({"pattern": context.name()}))?;
    let result = wait::run(context, op)?;
    let found: Vec<&Value> = result.as_array().into_iter().flatten().collect();
    for pair in &found {
        let part = |at: usize| pair.get(at).map(python_str).unwrap_or_default();
        context.io.line(format_args!("{} {}", part(0), part(1)));
    }
    Ok(if found.is_empty() { FAILURE } else { SUCCESS })
}
