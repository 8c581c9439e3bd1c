//! `gnt-instance reinstall`

use serde_json::{Value, json};

use super::select;
use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let names = select::names(context)?;
    let many = select::is_many(context, &names);
    let os = match context.args.flag("select-os") {
        true => Some(choose_os(context)?),
        false => context.args.text("os-type").map(str::to_owned),
    };
    if !confirmed(context, &names, many) {
        return Ok(FAILURE);
    }
    let dict = |id: &str| context.args.dict(id).filter(|dict| !dict.is_empty());
    let parameters = json!({
        "os_type": os,
        "force_variant": context.args.flag("force-variant"),
        "osparams": dict("os-parameters"),
        "osparams_private": dict("os-parameters-private"),
        "osparams_secret": dict("os-parameters-secret"),
    });
    select::submit(context, names, many, "OP_INSTANCE_REINSTALL", &parameters)
}

/// With several instances `--force-multiple` is needed besides `--force`, as the loss is larger.
fn confirmed(context: &mut Context<'_>, names: &[String], many: bool) -> bool {
    let (force, force_many) = (context.args.flag("force"), context.args.flag("force-multiple"));
    if many {
        let extra = "The data on their first disks is lost.\n";
        return (force && force_many) || confirm::operation(context.io, names, "instances", "reinstallation", extra);
    }
    let name = names.first().map_or("", String::as_str);
    force || confirm::yes(context.io, &format!("Instance {name} will be installed again, and its data is lost. Continue?"))
}

fn choose_os(context: &mut Context<'_>) -> Result<String, Failure> {
    let op = context.opcode("OP_OS_DIAGNOSE", json!({"output_fields": ["name", "variants"]}))?;
    let job = wait::submit(context, vec![op])?;
    let result = wait::follow(context, job)?.pop().unwrap_or_default();
    let names: Vec<String> = result.as_array().into_iter().flatten().flat_map(with_variants).collect();
    if names.is_empty() {
        return Err(Failure::invalid("Can't get the OS list"));
    }
    let chosen = confirm::choose(context.io, "Number of the OS (anything else aborts):", &names)?;
    chosen.map(|number| names[number].clone()).ok_or(Failure::Silent(FAILURE))
}

/// `name+variant` for each variant, or the name alone.
fn with_variants(row: &Value) -> Vec<String> {
    let Some(name) = row.get(0).and_then(Value::as_str) else { return Vec::new() };
    let variants: Vec<&str> = row.get(1).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    match variants.is_empty() {
        true => vec![name.to_owned()],
        false => variants.iter().map(|variant| format!("{name}+{variant}")).collect(),
    }
}
