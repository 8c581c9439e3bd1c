//! `gnt-cluster copyfile`: copies a file of the master to the nodes.

use gannet_core::luxi::Method;
use gannet_core::query::format::python_str;
use serde_json::json;

use super::online_nodes;
use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let given = context.name();
    let path = std::path::absolute(&given).map_err(|error| Failure::io(given.clone(), error))?;
    // On a virtual node paths are those below its root.
    if !context.env.paths().at(&path).is_file() {
        return Err(Failure::invalid(format!("No such filename '{}'", path.display())));
    }
    context.must_be_master()?;
    let named: Vec<String> = context.args.texts("node").into_iter().map(str::to_owned).collect();
    let nodes = online_nodes(context, &named, true)?;
    let answer = context.call(Method::CopyFile, &json!([nodes, path]))?;
    let mut code = SUCCESS;
    for row in answer.as_array().into_iter().flatten() {
        if let Some(error) = row.get(1).filter(|error| !error.is_null()) {
            let node = row.get(0).map(python_str).unwrap_or_default();
            context.io.note(format_args!("Copy of file {} to node {node} failed: {}", path.display(), python_str(error)));
            code = FAILURE;
        }
    }
    Ok(code)
}
