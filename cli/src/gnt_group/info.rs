//! `gnt-group info`

use gannet_core::query::{Resource, filter};
use serde_json::Value;

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};
use crate::yaml::{self, Node, map};
use crate::{policy, table};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    const FIELDS: [&str; 8] =
        ["name", "ndparams", "custom_ndparams", "diskparams", "custom_diskparams", "ipolicy", "custom_ipolicy", "alloc_policy"];
    let condition = filter::make_simple_filter("name", context.args.positional());
    let rows = table::rows(context, Resource::Group, &FIELDS, &condition)?;
    if let Some(name) = context.args.positional().iter().find(|name| !rows.iter().any(|row| row[0] == name.as_str())) {
        return Err(Failure::invalid(format!("Node group '{name}' not found")));
    }
    let node = |row: &Vec<Value>| {
        map([
            ("Node group", Node::json(&row[0])),
            ("Node parameters", yaml::params(Some(&row[2]), &row[1])),
            ("Disk parameters", yaml::params(Some(&row[4]), &row[3])),
            ("Instance policy", policy::node(Some(&row[6]), &row[5], false)),
            ("Allocation policy", Node::json(&row[7])),
        ])
    };
    context.io.raw(Node::List(rows.iter().map(node).collect()).render().as_bytes());
    Ok(SUCCESS)
}
