//! `gnt-instance add`: also the part of `gnt-backup import` that is the same.

use serde_json::{Value, json};

use super::device;
use crate::context::{Context, Outcome};
use crate::exit::Failure;
use crate::parse::{Dict, IdentValue};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let mut parameters = parameters(context, "create")?;
    parameters["no_install"] = json!(context.args.flag("no-install"));
    parameters["start"] = json!(!context.args.flag("no-start"));
    parameters["force_variant"] = json!(context.args.flag("force-variant"));
    parameters["forthcoming"] = json!(context.args.flag("forthcoming"));
    parameters["commit"] = json!(context.args.flag("commit"));
    parameters["instance_communication"] = json!(context.args.yes_no("communication").unwrap_or(false));
    parameters["os_type"] = json!(context.args.text("os-type"));
    let op = context.opcode("OP_INSTANCE_CREATE", parameters)?;
    wait::run_quietly(context, op)
}

/// The parameters that creation and import have in common.
///
/// # Errors
/// Options contradict each other, or a needed one is missing.
pub(crate) fn parameters(context: &Context<'_>, mode: &str) -> Result<Value, Failure> {
    let args = &context.args;
    let (hypervisor, hvparams) = hypervisor(context)?;
    let (pnode, snode) = split_nodes(args.text("node"));
    let dict = |id: &str| args.dict(id).cloned().unwrap_or_default();
    let some_dict = |id: &str| args.dict(id).filter(|dict| !dict.is_empty());
    if pnode.is_some() && args.given("iallocator") {
        return Err(Failure::invalid("Give either nodes (-n) or an iallocator (-I), not both"));
    }
    Ok(json!({
        "instance_name": context.name(),
        "mode": mode,
        "disks": disks(context, mode)?,
        "disk_template": args.text("disk-template"),
        "nics": nics(context, mode)?,
        "conflicts_check": !args.flag("no-conflicts-check"),
        "pnode": pnode,
        "snode": snode,
        "group_name": args.text("node-group"),
        "ip_check": args.flag("ip-check"),
        "name_check": args.flag("name-check"),
        "wait_for_sync": !args.flag("no-wait-for-sync"),
        "file_storage_dir": args.text("file-storage-dir"),
        "file_driver": args.text("file-driver"),
        "iallocator": args.text("iallocator"),
        "hypervisor": hypervisor,
        "hvparams": hvparams,
        "beparams": dict("backend-parameters"),
        "osparams": dict("os-parameters"),
        "osparams_private": some_dict("os-parameters-private"),
        "osparams_secret": some_dict("os-parameters-secret"),
        "tags": args.words("tags").unwrap_or_default(),
        "ignore_ipolicy": args.flag("ignore-ipolicy"),
        "opportunistic_locking": args.flag("opportunistic-locking"),
        "helper_startup_timeout": args.int("helper-startup-timeout"),
        "helper_shutdown_timeout": args.int("helper-shutdown-timeout"),
    }))
}

/// `-H kvm:key=value`
fn hypervisor(context: &Context<'_>) -> Result<(Option<String>, Dict), Failure> {
    match context.args.idents("hypervisor-parameters").last() {
        None => Ok((None, Dict::new())),
        Some(ident) => match &ident.value {
            IdentValue::Params(params) => Ok((Some(ident.name.clone()), params.clone())),
            IdentValue::Off | IdentValue::Inherit => Err(Failure::BadOption(format!("-H: '{}' is no hypervisor", ident.name))),
        },
    }
}

/// `-n primary[:secondary]`
pub(super) fn split_nodes(text: Option<&str>) -> (Option<String>, Option<String>) {
    match text.map(|text| text.split_once(':').map_or((text, None), |(primary, secondary)| (primary, Some(secondary)))) {
        None => (None, None),
        Some((primary, secondary)) => {
            let name = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            (name(primary), secondary.and_then(name))
        }
    }
}

fn disks(context: &Context<'_>, mode: &str) -> Result<Vec<Dict>, Failure> {
    let given = context.args.idents("disk");
    let size = context.args.mib("os-size");
    if context.args.text("disk-template") == Some("diskless") {
        return match given.is_empty() && size.is_none() {
            true => Ok(Vec::new()),
            false => Err(Failure::invalid("Diskless instance but disk information passed")),
        };
    }
    match (given.is_empty(), size) {
        (false, Some(_)) => Err(Failure::invalid("Please use either the '--disk' or '-s' option")),
        (true, Some(size)) => Ok(vec![Dict::from_iter([("size".to_owned(), json!(size))])]),
        (true, None) if mode == "create" => Err(Failure::invalid("No disk information specified")),
        (true, None) => Ok(Vec::new()),
        (false, None) => device::by_index(&given, "disk")?.iter().map(|ident| device::disk_params(ident, true)).collect(),
    }
}

fn nics(context: &Context<'_>, mode: &str) -> Result<Vec<Dict>, Failure> {
    let given = context.args.idents("net");
    match (given.is_empty(), context.args.flag("no-nics")) {
        (false, true) => Err(Failure::invalid("Give either --net or --no-nics, not both")),
        (false, false) => device::by_index(&given, "nic")?.iter().map(device::params).collect(),
        // A new instance has one interface with the defaults; an import has those of the export.
        (true, false) if mode == "create" => Ok(vec![Dict::new()]),
        (true, _) => Ok(Vec::new()),
    }
}
