//! `gnt-job info`

use gannet_core::job::LogEntry;
use gannet_core::quantity::Timestamp;
use gannet_core::query::format::python_str;
use gannet_core::query::{Filter, Resource};
use serde_json::Value;

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, SUCCESS};
use crate::yaml::{Node, map};
use crate::{log, table, time};

const FIELDS: [&str; 12] =
    ["id", "status", "ops", "opresult", "opstatus", "oplog", "opstart", "opexec", "opend", "received_ts", "start_ts", "end_ts"];

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let ids = super::change::ids(context)?;
    let number = |id: &gannet_core::id::JobId| i64::try_from(id.0).unwrap_or(i64::MAX);
    let filter = Filter::Or(ids.iter().map(|id| Filter::equal("id", number(id))).collect());
    let rows = table::rows(context, Resource::Job, &FIELDS, &filter)?;
    let mut code = SUCCESS;
    let mut found = Vec::new();
    for id in ids {
        match rows.iter().find(|row| row.first().and_then(Value::as_u64) == Some(id.0)) {
            Some(row) => found.push(job(row)),
            None => {
                context.io.note(format_args!("Job {id} not found"));
                code = FAILURE;
            }
        }
    }
    context.io.raw(Node::List(found).render().as_bytes());
    Ok(code)
}

fn job(row: &[Value]) -> Node {
    let (received, start, end) = (stamp(&row[9]), stamp(&row[10]), stamp(&row[11]));
    let total = match (received, end) {
        (Some(received), Some(end)) => format!("{:.6} seconds", between(received, end)),
        _ => "N/A".into(),
    };
    let list = |at: usize| row[at].as_array().map(Vec::as_slice).unwrap_or_default();
    let ops = (0..list(2).len()).map(|index| op(index, &list)).collect();
    map([
        ("Job ID", Node::json(&row[0])),
        ("Status", Node::json(&row[1])),
        ("Received", Node::text(received.map_or_else(|| "N/A".into(), time::exact))),
        ("Processing start", Node::text(with_delta(start, received))),
        ("Processing end", Node::text(with_delta(end, start))),
        ("Total processing time", Node::text(total)),
        ("Opcodes", Node::List(ops)),
    ])
}

fn op<'a>(index: usize, list: &impl Fn(usize) -> &'a [Value]) -> Node {
    let at = |column: usize| list(column).get(index).cloned().unwrap_or_default();
    let when = |column: usize| Node::text(stamp(&at(column)).map_or_else(|| "N/A".into(), time::exact));
    let mut input = at(2);
    let name = input.as_object_mut().and_then(|input| input.remove("OP_ID")).map(|id| python_str(&id)).unwrap_or_default();
    let result = match at(3) {
        Value::Object(object) if object.is_empty() => Node::text("(empty dictionary)"),
        Value::Array(list) if list.is_empty() => Node::text("(empty list)"),
        value => Node::json(&value),
    };
    let entries = at(5).as_array().into_iter().flatten().filter_map(entry).collect();
    map([
        ("Opcode", Node::text(name)),
        ("Status", Node::json(&at(4))),
        ("Processing start", when(6)),
        ("Execution start", when(7)),
        ("Processing end", when(8)),
        ("Input fields", Node::json(&input)),
        ("Result", result),
        ("Execution log", Node::List(entries)),
    ])
}

fn entry(value: &Value) -> Option<Node> {
    let LogEntry(serial, when, kind, message) = serde_json::from_value(value.clone()).ok()?;
    let content = log::lines(kind, &message).join(", ");
    let stamp = time::exact(when);
    Some(Node::text(format!("{serial}:{stamp}:{} {content}", python_str(&serde_json::to_value(kind).ok()?))))
}

fn stamp(value: &Value) -> Option<Timestamp> {
    serde_json::from_value(value.clone()).ok()
}

fn between(from: Timestamp, to: Timestamp) -> f64 {
    (to.0 - from.0) as f64 / 1e6
}

fn with_delta(when: Option<Timestamp>, since: Option<Timestamp>) -> String {
    match (when, since) {
        (None, _) => "unknown (None)".into(),
        (Some(when), None) => time::exact(when),
        (Some(when), Some(since)) => format!("{} (delta {:.6}s)", time::exact(when), between(since, when)),
    }
}
