//! `gnt-backup`: exports of instances. Exporting and importing come in a later version.

use gannet_core::query::Resource;
use serde_json::json;

use crate::context::{Context, Outcome};
use crate::{Built, table, wait};

/// What carries out the sub-command `name`.
pub(crate) fn built(name: &str) -> Option<Built> {
    Some(match name {
        "list" => Built::new(list),
        "list-fields" => Built::new(|context| table::list_fields(context, Resource::Export)),
        "remove" => Built::new(remove),
        _ => return None,
    })
}

fn list(context: &mut Context<'_>) -> Outcome {
    let nodes = context.args.texts("node").into_iter().map(str::to_owned).collect::<Vec<_>>();
    let condition = gannet_core::query::filter::make_simple_filter("node", &nodes);
    table::list_with(context, Resource::Export, condition, &[])
}

fn remove(context: &mut Context<'_>) -> Outcome {
    let op = context.opcode("OP_BACKUP_REMOVE", json!({"instance_name": context.name()}))?;
    wait::run_quietly(context, op)
}
