//! Commands for many instances: which ones are meant, whether that is really wanted, one job for each.

use std::collections::BTreeSet;

use gannet_core::luxi::Method;
use gannet_core::query::{Filter, Resource, nice_sort};
use serde_json::{Value, json};

use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};
use crate::wait::Jobs;
use crate::{table, wait};

/// The options that say how the arguments select instances; the last one counts.
const MODES: [&str; 9] = ["all", "instance", "node", "primary", "secondary", "tags", "node-tags", "pri-node-tags", "sec-node-tags"];

/// Runs an opcode on every selected instance.
pub(super) fn run(context: &mut Context<'_>, operation: &str, op_id: &str, parameters: &Value) -> Outcome {
    let names = names(context)?;
    let many = is_many(context, &names);
    if many && !context.args.flag("force-multiple") && !confirm::operation(context.io, &names, "instances", operation, "") {
        return Ok(FAILURE);
    }
    submit(context, names, many, op_id, parameters)
}

/// Submits one job for each instance and follows them.
pub(super) fn submit(context: &mut Context<'_>, names: Vec<String>, many: bool, op_id: &str, parameters: &Value) -> Outcome {
    let mut jobs = Jobs::new(many);
    let single = (names.len() == 1 && !many).then(|| names[0].clone());
    for name in names {
        let mut parameters = parameters.clone();
        parameters["instance_name"] = json!(name);
        jobs.add(name, vec![context.opcode(op_id, parameters)?]);
    }
    if let Some(name) = single {
        let mut parameters = parameters.clone();
        parameters["instance_name"] = json!(name);
        let op = context.opcode(op_id, parameters)?;
        return wait::run_quietly(context, op);
    }
    let results = jobs.run(context)?;
    Ok(if results.iter().all(|job| job.result.is_ok()) { SUCCESS } else { FAILURE })
}

/// Whether several instances are meant, so that one has to ask.
pub(super) fn is_many(context: &Context<'_>, names: &[String]) -> bool {
    names.len() > 1 || context.args.last_of(&MODES).is_some_and(|mode| mode != "instance")
}

/// The names of the selected instances.
///
/// # Errors
/// None fits, or the arguments do not go with the mode.
pub(super) fn names(context: &mut Context<'_>) -> Result<Vec<String>, Failure> {
    let given = context.args.positional().to_vec();
    let mode = context.args.last_of(&MODES).unwrap_or("instance");
    let names = match mode {
        "all" if !given.is_empty() => return Err(Failure::invalid("Cluster filter mode takes no arguments")),
        "all" => all(context)?,
        _ if given.is_empty() => {
            let what = if mode == "instance" { "No instance names passed" } else { "No node names or tags passed" };
            return Err(Failure::invalid(what));
        }
        "instance" => known(context, &given)?,
        "tags" => column(context, Resource::Instance, "name", &any_tag(&given))?,
        _ => on_nodes(context, mode, &given)?,
    };
    if names.is_empty() {
        return Err(Failure::invalid("Selection filter does not match any instances"));
    }
    Ok(names)
}

fn all(context: &mut Context<'_>) -> Result<Vec<String>, Failure> {
    column(context, Resource::Instance, "name", &Filter::Empty)
}

/// The full names, in the order given; the master refuses unknown ones.
fn known(context: &mut Context<'_>, given: &[String]) -> Result<Vec<String>, Failure> {
    let rows = context.call(Method::QueryInstances, &json!([given, ["name"], false]))?;
    let names = rows.as_array().into_iter().flatten().filter_map(|row| row.get(0)?.as_str());
    Ok(names.map(str::to_owned).collect())
}

fn on_nodes(context: &mut Context<'_>, mode: &str, given: &[String]) -> Result<Vec<String>, Failure> {
    let filter = if mode.ends_with("-tags") { any_tag(given) } else { any_name(given) };
    let rows = table::rows(context, Resource::Node, &["pinst_list", "sinst_list"], &filter)?;
    if rows.is_empty() {
        return Err(Failure::invalid("No node fits the selection"));
    }
    let (primary, secondary) = (!mode.starts_with("sec"), !mode.starts_with("pri"));
    let mut names = BTreeSet::new();
    for row in rows {
        for (list, wanted) in row.iter().zip([primary, secondary]) {
            if wanted {
                names.extend(list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
            }
        }
    }
    let mut names: Vec<String> = names.into_iter().collect();
    nice_sort(&mut names);
    Ok(names)
}

fn any_tag(tags: &[String]) -> Filter {
    Filter::Or(tags.iter().map(|tag| Filter::contains("tags", tag.as_str())).collect())
}

fn any_name(names: &[String]) -> Filter {
    Filter::Or(names.iter().map(|name| Filter::equal("name", name.as_str())).collect())
}

fn column(context: &mut Context<'_>, resource: Resource, field: &str, filter: &Filter) -> Result<Vec<String>, Failure> {
    let rows = table::rows(context, resource, &[field], filter)?;
    Ok(rows.iter().filter_map(|row| row.first()?.as_str()).map(str::to_owned).collect())
}
