//! `gnt-network` add, modify, rename, remove, connect, disconnect.

use gannet_core::query::{Filter, Resource};
use serde_json::{Value, json};

use crate::confirm;
use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};
use crate::table;
use crate::wait::{self, Jobs};

pub(super) fn add(context: &mut Context<'_>) -> Outcome {
    let args = &context.args;
    let Some(network) = args.text("network") else {
        return Err(Failure::invalid("The --network option must be given when adding a network"));
    };
    let parameters = json!({
        "network_name": context.name(),
        "network": network,
        "gateway": args.text("gateway"),
        "network6": args.text("network6"),
        "gateway6": args.text("gateway6"),
        "mac_prefix": args.text("mac-prefix"),
        "add_reserved_ips": args.words("add-reserved-ips"),
        "conflicts_check": !args.flag("no-conflicts-check"),
        "tags": args.words("tags").unwrap_or_default(),
    });
    let op = context.opcode("OP_NETWORK_ADD", parameters)?;
    wait::run_quietly(context, op)
}

pub(super) fn modify(context: &mut Context<'_>) -> Outcome {
    const CHANGES: [&str; 6] = ["add-reserved-ips", "remove-reserved-ips", "gateway", "gateway6", "mac-prefix", "network6"];
    if !CHANGES.iter().any(|id| context.args.given(id)) {
        context.io.note("Please give at least one of the parameters.");
        return Ok(FAILURE);
    }
    let args = &context.args;
    let parameters = json!({
        "network_name": context.name(),
        "gateway": args.text("gateway"),
        "network6": args.text("network6"),
        "gateway6": args.text("gateway6"),
        "mac_prefix": args.text("mac-prefix"),
        "add_reserved_ips": args.words("add-reserved-ips"),
        "remove_reserved_ips": args.words("remove-reserved-ips"),
    });
    let op = context.opcode("OP_NETWORK_SET_PARAMS", parameters)?;
    wait::run_quietly(context, op)
}

pub(super) fn rename(context: &mut Context<'_>) -> Outcome {
    let op = context.opcode("OP_NETWORK_RENAME", json!({"network_name": context.name(), "new_name": context.args.arg(1)}))?;
    wait::run_quietly(context, op)
}

pub(super) fn remove(context: &mut Context<'_>) -> Outcome {
    let name = context.name();
    if !context.args.flag("force") && !confirm::yes(context.io, &format!("Network {name} will be removed. Continue?")) {
        return Ok(FAILURE);
    }
    let op = context.opcode("OP_NETWORK_REMOVE", json!({"network_name": name, "force": context.args.flag("force")}))?;
    wait::run_quietly(context, op)
}

pub(super) fn connect(context: &mut Context<'_>) -> Outcome {
    let nicparams = context.args.dict("nic-parameters").cloned().unwrap_or_default();
    let text = |key: &str, default: &str| nicparams.get(key).and_then(Value::as_str).unwrap_or(default).to_owned();
    if let Some(unknown) = nicparams.keys().find(|key| !["mode", "link", "vlan"].contains(&key.as_str())) {
        return Err(Failure::invalid(format!("Unknown NIC parameter '{unknown}' (mode, link, vlan)")));
    }
    let parameters = json!({
        "network_name": context.name(),
        "network_mode": text("mode", "bridged"),
        "network_link": text("link", "br0"),
        "network_vlan": text("vlan", ""),
        "conflicts_check": !context.args.flag("no-conflicts-check"),
    });
    for_groups(context, "OP_NETWORK_CONNECT", &parameters)
}

pub(super) fn disconnect(context: &mut Context<'_>) -> Outcome {
    let parameters = json!({"network_name": context.name()});
    for_groups(context, "OP_NETWORK_DISCONNECT", &parameters)
}

/// One job for each named group, or for all groups.
fn for_groups(context: &mut Context<'_>, op_id: &str, parameters: &Value) -> Outcome {
    let mut groups = context.args.positional().get(1..).unwrap_or_default().to_vec();
    if groups.is_empty() {
        let rows = table::rows(context, Resource::Group, &["name"], &Filter::Empty)?;
        groups = rows.iter().filter_map(|row| row.first()?.as_str()).map(str::to_owned).collect();
    }
    let mut jobs = Jobs::new(groups.len() > 1);
    for group in groups {
        let mut parameters = parameters.clone();
        parameters["group_name"] = json!(group);
        jobs.add(group, vec![context.opcode(op_id, parameters)?]);
    }
    let results = jobs.run(context)?;
    Ok(if results.iter().all(|job| job.result.is_ok()) { SUCCESS } else { FAILURE })
}
