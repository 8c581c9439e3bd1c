//! One cell of a table.

use serde_json::Value;

use super::{
    super::{FieldDef, FieldKind, Resource, ResultEntry},
    Options, Unit, python_repr, python_str,
};

/// Formats the cells of a column.
pub(super) struct Formatter<'a> {
    kind: FieldKind,
    style: Option<Style>,
    unit: Unit,
    options: &'a Options<'a>,
}

/// The fields that a list command writes in its own way (Ganeti: `format_override`). All of them are aligned on the left.
#[derive(Debug, Clone, Copy)]
enum Style {
    /// `a,b,c`
    Commas,
    /// `key=value, key=value`
    Parameters,
    /// `name (mode, link, vlan), ...`
    ConnectedGroups,
    /// A list of times with microseconds.
    Times,
    /// As it is, or a dash for nothing.
    Dash,
    /// `a,b,c`, or a dash for nothing.
    CommasOrDash,
    /// `mode:job,job, mode:job`, or a dash for nothing.
    Pending,
}

impl<'a> Formatter<'a> {
    pub(super) fn new(resource: Resource, field: &FieldDef, options: &'a Options<'a>) -> Self {
        let for_script = options.separator.is_some_and(|s| !s.is_empty());
        let unit = options.unit.unwrap_or(if for_script { Unit::Mebi } else { Unit::Human });
        Self { kind: field.kind, style: style(resource, &field.name), unit, options }
    }

    pub(super) fn is_right_aligned(&self) -> bool {
        self.style.is_none() && self.kind.is_right_aligned()
    }

    pub(super) fn format(&self, entry: &ResultEntry) -> String {
        match entry.status.placeholder(self.options.verbose) {
            Some(placeholder) => placeholder.to_owned(),
            None => self.style.map_or_else(|| self.by_kind(&entry.value), |style| self.by_style(style, &entry.value)),
        }
    }

    fn by_kind(&self, value: &Value) -> String {
        match self.kind {
            FieldKind::Bool => (if is_true(value) { "Y" } else { "N" }).to_owned(),
            FieldKind::Timestamp => value.as_f64().map_or_else(|| "N/A".to_owned(), |seconds| (self.options.time)(seconds)),
            FieldKind::Unit => value.as_f64().map_or_else(|| python_str(value), |mib| self.unit.format(mib)),
            FieldKind::Unknown | FieldKind::Text | FieldKind::Number | FieldKind::Float | FieldKind::Other => python_str(value),
        }
    }

    fn by_style(&self, style: Style, value: &Value) -> String {
        let dash = matches!(style, Style::Dash | Style::CommasOrDash | Style::Pending);
        if dash && !is_true(value) {
            return "-".to_owned();
        }
        // A value of another shape than expected is shown as it is.
        let shaped = match style {
            Style::Dash => None,
            Style::Commas | Style::CommasOrDash => value.as_array().map(|items| join(items, ",", python_str)),
            Style::Parameters => parameters(value),
            Style::ConnectedGroups => value.as_array().map(|groups| join(groups, ", ", connected_group)),
            Style::Times => self.times(value),
            Style::Pending => value.as_array().map(|requests| join(requests, ", ", pending)),
        };
        shaped.unwrap_or_else(|| python_str(value))
    }

    fn times(&self, value: &Value) -> Option<String> {
        let times: Vec<Value> = value.as_array()?.iter().map(|pair| Value::from(self.time(pair))).collect();
        Some(python_repr(&Value::from(times)))
    }

    fn time(&self, pair: &Value) -> String {
        match pair.as_array().map(Vec::as_slice) {
            Some([seconds, microseconds]) => match (seconds.as_f64(), microseconds.as_i64()) {
                (Some(seconds), Some(microseconds)) => format!("{}.{microseconds:06}", (self.options.time)(seconds)),
                _ => "N/A".to_owned(),
            },
            _ => "?".to_owned(),
        }
    }
}

fn style(resource: Resource, field: &str) -> Option<Style> {
    match (resource, field) {
        (
            Resource::Instance,
            "tags" | "disk.sizes" | "nic.macs" | "nic.ips" | "nic.modes" | "nic.links" | "nic.bridges" | "nic.networks" | "snodes"
            | "snodes.group" | "snodes.group.uuid",
        )
        | (Resource::Node, "pinst_list" | "sinst_list" | "tags")
        | (Resource::Group, "node_list" | "pinst_list")
        | (Resource::Network, "inst_list" | "tags")
        | (Resource::Job, "summary") => Some(Style::Commas),
        (Resource::Group, "ndparams") => Some(Style::Parameters),
        (Resource::Network, "group_list") => Some(Style::ConnectedGroups),
        (Resource::Job, "opstart" | "opexec" | "opend") => Some(Style::Times),
        (Resource::Lock, "mode") => Some(Style::Dash),
        (Resource::Lock, "owner") => Some(Style::CommasOrDash),
        (Resource::Lock, "pending") => Some(Style::Pending),
        _ => None,
    }
}

/// Python's idea of truth.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

fn join(items: &[Value], separator: &str, format: impl Fn(&Value) -> String) -> String {
    items.iter().map(format).collect::<Vec<_>>().join(separator)
}

fn parameters(value: &Value) -> Option<String> {
    let members = value.as_object()?;
    if members.is_empty() {
        return Some("(empty)".to_owned());
    }
    Some(members.iter().map(|(key, value)| format!("{key}={}", python_str(value))).collect::<Vec<_>>().join(", "))
}

fn connected_group(group: &Value) -> String {
    match group.as_array().map(Vec::as_slice) {
        Some([name, rest @ ..]) if !rest.is_empty() => format!("{} ({})", python_str(name), join(rest, ", ", python_str)),
        _ => python_str(group),
    }
}

fn pending(request: &Value) -> String {
    match request.as_array().map(Vec::as_slice) {
        Some([mode, Value::Array(owners)]) => format!("{}:{}", python_str(mode), join(owners, ",", python_str)),
        _ => python_str(request),
    }
}
