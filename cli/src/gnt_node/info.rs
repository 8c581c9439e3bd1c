//! `gnt-node info`

use gannet_core::luxi::Method;
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::SUCCESS;
use crate::yaml::{self, Node};

const FIELDS: [&str; 15] = [
    "name",
    "pip",
    "sip",
    "pinst_list",
    "sinst_list",
    "master_candidate",
    "drained",
    "offline",
    "master_capable",
    "vm_capable",
    "powered",
    "ndparams",
    "custom_ndparams",
    "hv_state",
    "disk_state",
];

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let names = context.args.positional().to_vec();
    let rows = context.call(Method::QueryNodes, &json!([names, FIELDS, false]))?;
    let rows: Vec<&Vec<Value>> =
        rows.as_array().into_iter().flatten().filter_map(Value::as_array).filter(|row| row.len() == FIELDS.len()).collect();
    let tree = Node::List(rows.into_iter().map(|row| node(row)).collect());
    context.io.raw(tree.render().as_bytes());
    Ok(SUCCESS)
}

fn node(row: &[Value]) -> Node {
    let plain = |label: &str, at: usize| (label.to_owned(), Node::json(&row[at]));
    let mut entries = vec![
        plain("Node name", 0),
        plain("primary ip", 1),
        plain("secondary ip", 2),
        plain("master candidate", 5),
        plain("drained", 6),
        plain("offline", 7),
    ];
    if !row[10].is_null() {
        entries.push(plain("powered", 10));
    }
    entries.push(plain("master_capable", 8));
    entries.push(plain("vm_capable", 9));
    if row[9] == true {
        entries.push(plain("primary for instances", 3));
        entries.push(plain("secondary for instances", 4));
    }
    entries.push(("node parameters".into(), yaml::params(Some(&row[12]), &row[11])));
    for (label, at) in [("hypervisor state", 13), ("disk state", 14)] {
        if row[at].as_object().is_some_and(|state| !state.is_empty()) {
            entries.push(plain(label, at));
        }
    }
    Node::Map(entries)
}
