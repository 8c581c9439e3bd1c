//! `gnt-network info`

use gannet_core::query::{Resource, filter};
use serde_json::Value;

use crate::context::{Context, Outcome};
use crate::exit::SUCCESS;
use crate::table;
use crate::yaml::Node;

/// What is shown, and its label.
const FIELDS: [(&str, &str); 13] = [
    ("name", "Network name"),
    ("uuid", "UUID"),
    ("serial_no", "Serial number"),
    ("network", "Subnet"),
    ("gateway", "Gateway"),
    ("network6", "IPv6 Subnet"),
    ("gateway6", "IPv6 Gateway"),
    ("mac_prefix", "Mac Prefix"),
    ("free_count", "Free"),
    ("reserved_count", "Reserved"),
    ("external_reservations", "externally reserved IPs"),
    ("group_list", "connected to node groups"),
    ("inst_list", "used by instances"),
];

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let condition = filter::make_simple_filter("name", context.args.positional());
    let fields: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
    let rows = table::rows(context, Resource::Network, &fields, &condition)?;
    let entries = |row: &Vec<Value>| row.iter().zip(FIELDS).map(|(value, (_, label))| (label.to_owned(), Node::json(value))).collect();
    let tree = Node::List(rows.iter().map(|row| Node::Map(entries(row))).collect());
    context.io.raw(tree.render().as_bytes());
    Ok(SUCCESS)
}
