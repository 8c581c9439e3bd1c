//! `gnt-os diagnose`: where each definition is found, and what is wrong with it there.

use gannet_core::query::format::python_str;
use serde_json::Value;

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, SUCCESS};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let found = super::query(context, &["name", "valid", "variants", "node_status", "hidden", "blacklisted"])?;
    let mut code = SUCCESS;
    for row in &found {
        let is_valid = row[1] == true;
        let mut marks = String::new();
        for (at, mark) in [(4, " [hidden]"), (5, " [blacklisted]")] {
            marks.push_str(if row[at] == true { mark } else { "" });
        }
        let status = if is_valid { "valid" } else { "invalid" };
        context.io.line(format_args!("OS: {} [global status: {status}]{marks}", python_str(&row[0])));
        let variants: Vec<String> = row[2].as_array().into_iter().flatten().map(python_str).collect();
        if !variants.is_empty() {
            context.io.line(format_args!("  Variants: [{}]", variants.join(", ")));
        }
        for (node, definitions) in row[3].as_object().into_iter().flatten() {
            for line in lines(node, definitions) {
                context.io.line(line);
            }
        }
        context.io.line("");
        if !is_valid {
            code = FAILURE;
        }
    }
    Ok(code)
}

/// `[path, status, diagnose, variants, parameters, API versions, trusted]` for each place; the first one counts.
fn lines(node: &str, definitions: &Value) -> Vec<String> {
    let places = definitions.as_array().map(Vec::as_slice).unwrap_or_default();
    if places.is_empty() {
        return vec![format!("  Node: {node}, status: INVALID (not found)")];
    }
    let line = |(index, place): (usize, &Value)| {
        let part = |at: usize| place.get(at).map(python_str).unwrap_or_default();
        let status = if place.get(1) == Some(&Value::Bool(true)) { "VALID" } else { "INVALID" };
        let reason = Some(part(2)).filter(|text| !text.is_empty()).map(|text| format!(" - {text}")).unwrap_or_default();
        match index {
            0 => format!("  Node: {node}, status: {status}{reason} (path: {})", part(0)),
            _ => format!("    [hidden] path: {}, status: {status}{reason}", part(0)),
        }
    };
    places.iter().enumerate().map(line).collect()
}
