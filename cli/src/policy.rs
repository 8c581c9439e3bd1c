//! Instance policies on the command line: options, the layout of `info`, and `show-ispecs-cmd`.

use gannet_core::luxi::Method;
use gannet_core::query::format::python_str;
use gannet_core::query::{Resource, filter};
use serde_json::{Value, json};

use crate::args::Args;
use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};
use crate::parse::{Dict, parse_unit};
use crate::table;
use crate::yaml::{self, Node};

/// The older options: one size each, with `min`, `max` and `std`.
const SPLIT: [(&str, &str); 5] = [
    ("specs-mem-size", "memory-size"),
    ("specs-cpu-count", "cpu-count"),
    ("specs-disk-count", "disk-count"),
    ("specs-disk-size", "disk-size"),
    ("specs-nic-count", "nic-count"),
];

/// The policy the options ask for; `None` when they ask for none. The older options change single sizes of `present`.
///
/// # Errors
/// A value is no number or size, or older and newer options are mixed.
pub(crate) fn from_options(args: &Args, present: Option<&Value>) -> Result<Option<Value>, Failure> {
    let mut policy = Dict::new();
    let split = SPLIT.iter().any(|(id, _)| args.given(id));
    if split && (args.given("ipolicy-bounds-specs") || args.given("ipolicy-std-specs")) {
        return Err(Failure::invalid("Specify either --specs-... or --ipolicy-bounds-specs and --ipolicy-std-specs, not both"));
    }
    if split {
        split_sizes(args, present, &mut policy)?;
    }
    if let Some(groups) = args.bounds("ipolicy-bounds-specs") {
        let group = |group: &Dict| group.iter().map(|(key, sizes)| Ok((key.clone(), numbers(sizes)?))).collect::<Result<Dict, Failure>>();
        policy.insert("minmax".into(), json!(groups.iter().map(group).collect::<Result<Vec<_>, _>>()?));
    }
    if let Some(std) = args.dict("ipolicy-std-specs") {
        policy.insert("std".into(), numbers(&json!(std))?);
    }
    if let Some(templates) = args.list("ipolicy-disk-templates") {
        policy.insert("disk-templates".into(), json!(templates));
    }
    for (id, key) in [("ipolicy-vcpu-ratio", "vcpu-ratio"), ("ipolicy-spindle-ratio", "spindle-ratio")] {
        if let Some(ratio) = args.json(id) {
            policy.insert(key.into(), ratio.clone());
        }
    }
    Ok((!policy.is_empty()).then_some(Value::Object(policy)))
}

/// Sizes as numbers; memory and disks may have units.
fn numbers(sizes: &Value) -> Result<Value, Failure> {
    let number = |(key, value): (&String, &Value)| Ok((key.clone(), size(key, value)?));
    sizes.as_object().into_iter().flatten().map(number).collect::<Result<Dict, Failure>>().map(Value::Object)
}

fn size(key: &str, value: &Value) -> Result<Value, Failure> {
    let text = value.as_str().unwrap_or_default();
    if text == "default" {
        return Ok(json!("default"));
    }
    let parsed = if key.ends_with("-size") { parse_unit(text) } else { text.parse().map_err(|_| "it is no number".to_owned()) };
    parsed.map(Value::from).map_err(|error| Failure::invalid(format!("Invalid value '{text}' for '{key}': {error}")))
}

fn split_sizes(args: &Args, present: Option<&Value>, policy: &mut Dict) -> Result<(), Failure> {
    let mut bounds = present.and_then(|present| present.get("minmax")?.get(0)).cloned().unwrap_or_else(|| json!({"min": {}, "max": {}}));
    let mut std = Value::Object(Dict::new());
    for (id, key) in SPLIT {
        for (which, value) in args.dict(id).into_iter().flatten() {
            let value = size(key, value)?;
            match which.as_str() {
                "min" | "max" => bounds[which][key] = value,
                "std" => std[key] = value,
                _ => return Err(Failure::invalid(format!("--{id} takes min, max and std, not '{which}'"))),
            }
        }
    }
    policy.insert("minmax".into(), json!([bounds]));
    if std.as_object().is_some_and(|std| !std.is_empty()) {
        policy.insert("std".into(), std);
    }
    Ok(())
}

/// The layout of a policy in `info`; `own` is what the group itself sets.
pub(crate) fn node(own: Option<&Value>, policy: &Value, is_cluster: bool) -> Node {
    let own = if is_cluster { Some(policy) } else { own };
    let own_of = |key: &str| own.and_then(|own| own.get(key));
    let pair = |(index, sizes): (usize, &Value)| {
        let own = own_of("minmax").and_then(|own| own.get(index));
        let entry = |key: &str| (format!("{key}/{index}"), yaml::params(own.and_then(|own| own.get(key)), &sizes[key]));
        Node::Map(["max", "min"].map(entry).to_vec())
    };
    let bounds = policy.get("minmax").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut entries = vec![("bounds specs".to_owned(), Node::List(bounds.iter().enumerate().map(pair).collect()))];
    if is_cluster {
        entries.push(("std".into(), yaml::params(own_of("std"), &policy["std"])));
    }
    let shown = |key: &str, text: String| if own_of(key).is_some() { text } else { format!("default ({text})") };
    let templates: Vec<String> = policy.get("disk-templates").and_then(Value::as_array).into_iter().flatten().map(python_str).collect();
    entries.push(("allowed disk templates".into(), Node::text(shown("disk-templates", templates.join(", ")))));
    for key in ["vcpu-ratio", "spindle-ratio"] {
        entries.push((key.into(), Node::text(shown(key, policy.get(key).map(python_str).unwrap_or_default()))));
    }
    Node::Map(entries)
}

/// `gnt-cluster show-ispecs-cmd`
pub(crate) fn show_cluster_command(context: &mut Context<'_>) -> Outcome {
    let info = context.call(Method::QueryClusterInfo, &json!([]))?;
    let line = format!("gnt-cluster init{} {}", options(&info["ipolicy"], true), python_str(&info["name"]));
    context.io.line(line);
    Ok(SUCCESS)
}

/// `gnt-group show-ispecs-cmd`
pub(crate) fn show_group_command(context: &mut Context<'_>) -> Outcome {
    let field = if context.args.flag("include-defaults") { "ipolicy" } else { "custom_ipolicy" };
    let condition = filter::make_simple_filter("name", context.args.positional());
    for row in table::rows(context, Resource::Group, &["name", field], &condition)? {
        context.io.line(format_args!("gnt-group add{} {}", options(&row[1], false), python_str(&row[0])));
    }
    Ok(SUCCESS)
}

fn options(policy: &Value, is_cluster: bool) -> String {
    let sizes = |value: &Value| {
        let pairs = value.as_object().into_iter().flatten().map(|(key, value)| format!("{key}={value}"));
        pairs.collect::<Vec<_>>().join(",")
    };
    let mut text = String::new();
    if let Some(std) = policy.get("std").filter(|_| is_cluster) {
        text.push_str(&format!(" --ipolicy-std-specs {}", sizes(std)));
    }
    if let Some(bounds) = policy.get("minmax").and_then(Value::as_array).filter(|bounds| !bounds.is_empty()) {
        let pair = |pair: &Value| format!("min:{}/max:{}", sizes(&pair["min"]), sizes(&pair["max"]));
        text.push_str(&format!(" --ipolicy-bounds-specs {}", bounds.iter().map(pair).collect::<Vec<_>>().join("//")));
    }
    text
}
