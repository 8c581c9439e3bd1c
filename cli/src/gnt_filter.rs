//! `gnt-filter`: rules that decide which jobs run.

use gannet_core::luxi::Method;
use gannet_core::query::{Resource, filter};
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};
use crate::yaml::Node;
use crate::{Built, table};

/// What carries out the sub-command `name`.
pub(crate) fn built(name: &str) -> Option<Built> {
    Some(match name {
        "add" => Built::new(add),
        "delete" => Built::new(delete),
        "info" => Built::new(info),
        "list" => Built::new(|context| table::list(context, Resource::Filter)),
        "list-fields" => Built::new(|context| table::list_fields(context, Resource::Filter)),
        "replace" => Built::new(replace),
        _ => return None,
    })
}

fn add(context: &mut Context<'_>) -> Outcome {
    put(context, Value::Null)
}

fn replace(context: &mut Context<'_>) -> Outcome {
    let uuid = json!(context.name());
    put(context, uuid)
}

fn put(context: &mut Context<'_>, uuid: Value) -> Outcome {
    let priority = context.args.int("priority").filter(|&priority| priority >= 0);
    let Some(priority) = priority else { return Err(Failure::invalid("The priority of a rule is 0 or more")) };
    let predicates = context.args.json("predicates").cloned().unwrap_or_else(|| json!([]));
    let action = context.args.json("action").cloned().unwrap_or_else(|| json!("CONTINUE"));
    let reason = context.reason();
    let uuid = context.call(Method::ReplaceFilter, &json!([uuid, priority, predicates, action, reason]))?;
    context.io.line(gannet_core::query::format::python_str(&uuid));
    Ok(SUCCESS)
}

fn delete(context: &mut Context<'_>) -> Outcome {
    let uuid = context.name();
    context.call(Method::DeleteFilter, &json!([uuid]))?;
    Ok(SUCCESS)
}

fn info(context: &mut Context<'_>) -> Outcome {
    const FIELDS: [(&str, &str); 6] = [
        ("uuid", "UUID"),
        ("watermark", "Watermark"),
        ("priority", "Priority"),
        ("predicates", "Predicates"),
        ("action", "Action"),
        ("reason_trail", "Reason trail"),
    ];
    let condition = filter::make_simple_filter("uuid", context.args.positional());
    let fields = FIELDS.map(|(field, _)| field);
    let rows = table::rows(context, Resource::Filter, &fields, &condition)?;
    if rows.len() < context.args.positional().len() {
        return Err(Failure::invalid("There is no filter rule with one of these UUIDs"));
    }
    // Predicates and actions are JSON that `--predicates` and `--action` take back.
    let node = |(value, (field, label)): (&Value, (&str, &str))| match field {
        "predicates" | "action" if !value.is_string() => (label.to_owned(), Node::text(value.to_string())),
        _ => (label.to_owned(), Node::json(value)),
    };
    let tree = Node::List(rows.iter().map(|row| Node::Map(row.iter().zip(FIELDS).map(node).collect())).collect());
    context.io.raw(tree.render().as_bytes());
    Ok(SUCCESS)
}
