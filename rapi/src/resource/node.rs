//! Nodes.

use gannet_core::luxi::Method;
use serde_json::{Value, json};

use super::{Listing, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::query::Query;
use crate::route::{Endpoint, Route, Verb};
use crate::shape::{Extra, Shape};
use crate::submit::{Arg, DRY_RUN, FORCE, Parts, Submit};

const FIELDS: &[&str] = &[
    "name",
    "offline",
    "master_candidate",
    "drained",
    "dtotal",
    "dfree",
    "sptotal",
    "spfree",
    "mtotal",
    "mnode",
    "mfree",
    "pinst_cnt",
    "sinst_cnt",
    "ctotal",
    "cnos",
    "cnodes",
    "csockets",
    "pip",
    "sip",
    "role",
    "pinst_list",
    "sinst_list",
    "master_capable",
    "vm_capable",
    "ndparams",
    "group.uuid",
    "ctime",
    "mtime",
    "uuid",
    "serial_no",
    "tags",
];

const NODES: Listing =
    Listing { what: "node", method: Method::QueryNodes, fields: FIELDS, key: "id", prefix: "/2/nodes/", extra: Extra::SecondaryIp };

pub(crate) const ROUTES: &[Route] = &[
    Route { uri: "/2/nodes", class: "nodes", endpoints: &[Endpoint::read(|call| NODES.list(call))] },
    Route { uri: "/2/nodes/{node_name}", class: "nodes_name", endpoints: &[Endpoint::read(|call| NODES.one(call, "node_name"))] },
    Route {
        uri: "/2/nodes/{node_name}/powercycle",
        class: "nodes_name_powercycle",
        endpoints: &[Endpoint::submit(Verb::Post, Submit::new("OP_NODE_POWERCYCLE").args(&[FORCE]).body())],
    },
    Route {
        uri: "/2/nodes/{node_name}/tags",
        class: "nodes_name_tags",
        endpoints: &[
            Endpoint::read(tags::node),
            Endpoint::submit(Verb::Put, tags::SET_NODE),
            Endpoint::submit(Verb::Delete, tags::DEL_NODE),
        ],
    },
    Route {
        uri: "/2/nodes/{node_name}/role",
        class: "nodes_name_role",
        endpoints: &[Endpoint::read(role), Endpoint::submit(Verb::Put, SET_ROLE)],
    },
    Route {
        uri: "/2/nodes/{node_name}/evacuate",
        class: "nodes_name_evacuate",
        endpoints: &[Endpoint::submit(Verb::Post, Submit::new("OP_NODE_EVACUATE").args(&[DRY_RUN]).body())],
    },
    Route {
        uri: "/2/nodes/{node_name}/migrate",
        class: "nodes_name_migrate",
        endpoints: &[Endpoint::submit(Verb::Post, Submit::new("OP_NODE_MIGRATE").body().adjust(migrate))],
    },
    Route {
        uri: "/2/nodes/{node_name}/modify",
        class: "nodes_name_modify",
        endpoints: &[Endpoint::submit(Verb::Post, Submit::new("OP_NODE_SET_PARAMS").body())],
    },
    Route {
        uri: "/2/nodes/{node_name}/storage",
        class: "nodes_name_storage",
        endpoints: &[Endpoint::submit(Verb::Get, Submit::new("OP_NODE_QUERY_STORAGE").args(&[STORAGE_TYPE]).adjust(query_storage))],
    },
    Route {
        uri: "/2/nodes/{node_name}/storage/modify",
        class: "nodes_name_storage_modify",
        endpoints: &[Endpoint::submit(Verb::Put, Submit::new("OP_NODE_MODIFY_STORAGE").args(STORAGE_UNIT).adjust(modify_storage))],
    },
    Route {
        uri: "/2/nodes/{node_name}/storage/repair",
        class: "nodes_name_storage_repair",
        endpoints: &[Endpoint::submit(Verb::Put, Submit::new("OP_REPAIR_NODE_STORAGE").args(STORAGE_UNIT).adjust(needs_name))],
    },
];

const STORAGE_TYPE: Arg = Arg::text("storage_type");
const STORAGE_UNIT: &[Arg] = &[STORAGE_TYPE, Arg::text("name")];
const SET_ROLE: Submit = Submit::new("OP_NODE_SET_PARAMS").args(&[FORCE, Arg::flag_as("auto-promote", "auto_promote")]).adjust(set_role);

fn role(call: &Call) -> Result<Query, ApiError> {
    let args = json!([[call.var("node_name")], ["role"], call.flag("lock", false)?]);
    Ok(Query::Luxi { method: Method::QueryNodes, args, shape: Shape::Role })
}

/// `regular` takes all flags away; the others set their own and leave the rest to the opcode.
fn set_role(call: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    let (unset, set) = (Value::Null, Value::Bool(true));
    let (candidate, offline, drained) = match call.body.as_ref().and_then(Value::as_str) {
        Some("regular") => (Value::Bool(false), Value::Bool(false), Value::Bool(false)),
        Some("master-candidate") => (set, unset.clone(), unset),
        Some("offline") => (unset.clone(), set, unset),
        Some("drained") => (unset.clone(), unset, set),
        Some(other) => return Err(ApiError::bad_request(format!("Can't set '{other}' role"))),
        None => return Err(ApiError::bad_request("Body contents: a role as a text is expected")),
    };
    for (name, value) in [("master_candidate", candidate), ("offline", offline), ("drained", drained)] {
        parts.fixed.insert(name.to_owned(), value);
    }
    Ok(())
}

/// The old form of this request has `live` or `mode` in the URI, which then stands for the whole body. Ganeti drops the
/// body for any argument, also `reason`, and does not look at `dry-run`, which its client sends: here a migration that
/// was only to be tried is not carried out, and goes where the body says.
fn migrate(call: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    if call.arg("dry-run").is_some() {
        parts.fixed.insert("dry_run".to_owned(), call.flag("dry-run", false)?.into());
    }
    let mode = match (call.arg("live"), call.arg("mode")) {
        (Some(_), Some(_)) => return Err(ApiError::bad_request("Only one of 'live' and 'mode' should be passed")),
        (Some(_), None) => Some(if call.flag("live", true)? { "live" } else { "non-live" }),
        (None, Some(mode)) => Some(mode),
        (None, None) => return Ok(()),
    };
    let depends = parts.body.remove_entry("depends");
    parts.body = depends.into_iter().chain([("mode".to_owned(), Value::from(mode))]).collect();
    Ok(())
}

fn query_storage(call: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    let fields = call.list("output_fields").ok_or_else(|| missing("output_fields"))?;
    let node = parts.fixed.remove("node_name");
    parts.fixed.insert("nodes".to_owned(), node.into_iter().collect());
    parts.fixed.insert("output_fields".to_owned(), fields.into());
    Ok(())
}

fn modify_storage(call: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    needs_name(call, parts)?;
    let changes = match call.arg("allocatable") {
        Some(_) => json!({"allocatable": call.flag("allocatable", true)?}),
        None => json!({}),
    };
    parts.fixed.insert("changes".to_owned(), changes);
    Ok(())
}

fn needs_name(call: &Call, _: &mut Parts) -> Result<(), ApiError> {
    call.arg("name").filter(|name| !name.is_empty()).map(drop).ok_or_else(|| missing("name"))
}

fn missing(name: &str) -> ApiError {
    ApiError::bad_request(format!("Missing the required '{name}' parameter"))
}
