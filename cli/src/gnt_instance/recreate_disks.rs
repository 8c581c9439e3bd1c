//! `gnt-instance recreate-disks`

use serde_json::{Value, json};

use super::add::split_nodes;
use super::device;
use crate::context::{Context, Outcome};
use crate::exit::Failure;
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let (node, iallocator) = (context.args.text("node"), context.args.text("iallocator"));
    if node.is_some() && iallocator.is_some() {
        return Err(Failure::invalid("Give either nodes (-n) or an iallocator (-I), not both"));
    }
    let (primary, secondary) = split_nodes(node);
    let nodes: Vec<String> = primary.into_iter().chain(secondary).collect();
    let mut parameters = json!({
        "instance_name": context.name(),
        "nodes": nodes,
        "iallocator": iallocator,
    });
    let disks = disks(context)?;
    if !disks.is_empty() {
        parameters["disks"] = json!(disks);
    }
    let op = context.opcode("OP_INSTANCE_RECREATE_DISKS", parameters)?;
    wait::run_quietly(context, op)
}

/// Plain positions when nothing changes, else `[position, parameters]`.
fn disks(context: &Context<'_>) -> Result<Vec<Value>, Failure> {
    let mut disks = Vec::new();
    for ident in context.args.idents("disk") {
        let index = device::index(ident, "disk")?;
        disks.push((index, device::disk_params(ident, false)?));
    }
    disks.sort_by_key(|(index, _)| *index);
    let as_they_were = disks.iter().all(|(_, params)| params.is_empty());
    Ok(disks.into_iter().map(|(index, params)| if as_they_were { json!(index) } else { json!([index, params]) }).collect())
}
