//! The disks in `gnt-instance info`.

use gannet_core::query::format::{Unit, python_repr, python_str};
use serde_json::Value;

use super::text;
use crate::yaml::Node;

/// One disk, or one of its children.
pub(super) fn node(index: usize, is_top: bool, disk: &Value) -> Node {
    let kind = text(disk, "dev_type");
    let size =
        disk.get("size").map(|size| size.as_f64().map_or_else(|| python_str(size), |mib| Unit::Human.format(mib))).unwrap_or_default();
    let head = match (is_top, disk.get("iv_name").and_then(Value::as_str)) {
        (true, Some(name)) => name.to_owned(),
        (true, None) => format!("disk {index}"),
        (false, _) => format!("child {index}"),
    };
    let mut entries = vec![(head, Node::text(format!("{kind}, size {size}")))];
    if is_top {
        if let Some(spindles) = disk.get("spindles").filter(|spindles| !spindles.is_null()) {
            entries.push(("spindles".into(), Node::json(spindles)));
        }
        entries.push(("access mode".into(), Node::text(text(disk, "mode"))));
    }
    if let Some(id) = disk.get("logical_id").filter(|id| !id.is_null()) {
        entries.extend(logical_id(&kind, id));
    }
    for (key, label) in [("pstatus", "on primary"), ("sstatus", "on secondary")] {
        if let Some(status) = disk.get(key).and_then(Value::as_array).filter(|status| !status.is_empty()) {
            entries.push((label.into(), Node::text(device(&kind, status))));
        }
    }
    entries.push(("name".into(), Node::text(text(disk, "name"))));
    entries.push(("UUID".into(), Node::text(text(disk, "uuid"))));
    let children = disk.get("children").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !children.is_empty() {
        let children = children.iter().enumerate().map(|(at, child)| node(at, false, child)).collect();
        entries.push(("child devices".into(), Node::List(children)));
    }
    Node::Map(entries)
}

fn logical_id(kind: &str, id: &Value) -> Vec<(String, Node)> {
    let part = |at: usize| id.get(at).map(python_str).unwrap_or_default();
    match (kind, id.as_array().map(Vec::len)) {
        // [node A, node B, port, minor A, minor B, secret]
        ("drbd", Some(6)) => vec![
            ("nodeA".into(), Node::text(format!("{}, minor={}", part(0), part(3)))),
            ("nodeB".into(), Node::text(format!("{}, minor={}", part(1), part(4)))),
            ("port".into(), Node::text(part(2))),
        ],
        ("plain", Some(2)) => vec![("logical_id".into(), Node::text(format!("{}/{}", part(0), part(1))))],
        // Ganeti keeps identifiers as tuples.
        (_, Some(_)) => {
            let list = python_repr(id);
            vec![("logical_id".into(), Node::text(format!("({})", list.trim_matches(['[', ']']))))]
        }
        _ => vec![("logical_id".into(), Node::text(python_str(id)))],
    }
}

/// `[path, major, minor, sync percent, seconds left, degraded, local disk status]`
fn device(kind: &str, status: &[Value]) -> String {
    let number = |at: usize| status.get(at).filter(|value| !value.is_null()).map_or_else(|| "N/A".into(), python_str);
    let path = status.first().map(python_str).unwrap_or_default();
    let mut line = format!("{path} ({}:{})", number(1), number(2));
    // Local disk status: 0 fine, 1 unknown, 2 faulty.
    let local = status.get(6).and_then(Value::as_u64).unwrap_or(0);
    if kind == "drbd" {
        match status.get(3).and_then(Value::as_f64) {
            Some(percent) => {
                let left = status.get(4).and_then(Value::as_f64).map_or_else(|| "unknown".into(), |seconds| format!("{seconds:.0}s"));
                line.push_str(&format!(" *RECOVERING* {percent:.2}%, ETA {left},"));
            }
            None => line.push_str(" in sync,"),
        }
        line.push_str(if status.get(5).and_then(Value::as_bool) == Some(true) { " status *DEGRADED*" } else { " status ok" });
        line.push_str(match local {
            2 => " *MISSING DISK*",
            1 => " *UNCERTAIN STATE*",
            _ => "",
        });
    } else if local == 2 {
        line.push_str(" *FAILED* (failed drive?)");
    }
    line
}
