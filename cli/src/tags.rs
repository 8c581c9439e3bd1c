//! `list-tags`, `add-tags`, `remove-tags`: the same for every kind of object that has tags.

use gannet_core::luxi::Method;
use gannet_core::query::nice_sort;
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};
use crate::wait;

/// The kind on the wire and whether objects of it have names.
fn kind(context: &Context<'_>) -> (&'static str, bool) {
    match context.program.name {
        "gnt-instance" => ("instance", true),
        "gnt-node" => ("node", true),
        "gnt-group" => ("nodegroup", true),
        "gnt-network" => ("network", true),
        _ => ("cluster", false),
    }
}

/// `list-tags`
///
/// # Errors
/// There is no such object.
pub fn list(context: &mut Context<'_>) -> Outcome {
    let (kind, _) = kind(context);
    let name = context.name();
    let tags = context.call(Method::QueryTags, &json!([kind, name]))?;
    let mut tags: Vec<String> = tags.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    nice_sort(&mut tags);
    for tag in tags {
        context.io.line(tag);
    }
    Ok(SUCCESS)
}

/// `add-tags`
///
/// # Errors
/// No tags are given, or the job fails.
pub fn add(context: &mut Context<'_>) -> Outcome {
    change(context, "OP_TAGS_SET", "No tags to be added")
}

/// `remove-tags`
///
/// # Errors
/// No tags are given, or the job fails.
pub fn remove(context: &mut Context<'_>) -> Outcome {
    change(context, "OP_TAGS_DEL", "No tags to be removed")
}

fn change(context: &mut Context<'_>, op_id: &str, nothing: &str) -> Outcome {
    let (kind, is_named) = kind(context);
    let (name, given) = match context.args.positional().split_first() {
        Some((name, tags)) if is_named => (Some(name.clone()), tags.to_vec()),
        _ => (None, context.args.positional().to_vec()),
    };
    let mut tags = given;
    if let Some(path) = context.args.text("from").map(str::to_owned) {
        tags.extend(read(context, &path)?);
    }
    if tags.is_empty() {
        return Err(Failure::invalid(nothing));
    }
    let op = context.opcode(op_id, json!({"kind": kind, "name": name, "tags": tags}))?;
    wait::run_quietly(context, op)
}

/// One tag a line; `-` is standard input.
fn read(context: &mut Context<'_>, path: &str) -> Result<Vec<String>, Failure> {
    let mut text = String::new();
    match path {
        "-" => std::io::Read::read_to_string(&mut context.io.input, &mut text).map(|_| ()),
        path => std::fs::read_to_string(path).map(|content| text = content),
    }
    .map_err(|error| Failure::io(format!("cannot read tags from {path}"), error))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
