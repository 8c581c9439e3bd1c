//! The layout of `info` commands: indented keys and lists, nearly YAML.
//!
//! ```text
//! - Instance name: web1
//!   Nodes:
//!     - primary: node1
//! ```

use gannet_core::query::format::python_str;
use serde_json::Value;

/// A tree to print.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Text(String),
    /// Keys in this order.
    Map(Vec<(String, Node)>),
    List(Vec<Node>),
}

impl Node {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A JSON value: objects by sorted key, scalars as Ganeti writes them (`True`, `None`).
    #[must_use]
    pub fn json(value: &Value) -> Self {
        match value {
            Value::Object(object) => Self::Map(object.iter().map(|(key, value)| (key.clone(), Self::json(value))).collect()),
            Value::Array(items) => Self::List(items.iter().map(Self::json).collect()),
            scalar => Self::Text(python_str(scalar)),
        }
    }

    /// The lines, each ended.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0, false);
        text
    }

    /// Writes at a nesting level; `after_key` tells whether a key stands on the line already.
    fn write(&self, text: &mut String, level: usize, after_key: bool) {
        let mut on_new_line = after_key;
        let mut begin = |text: &mut String| {
            if on_new_line {
                text.push_str(&"  ".repeat(level));
            }
            on_new_line = true;
        };
        match self {
            Self::Text(line) => {
                text.push_str(line);
                text.push('\n');
            }
            Self::Map(entries) => {
                if after_key || entries.is_empty() {
                    text.push('\n');
                }
                for (key, value) in entries {
                    begin(text);
                    text.push_str(key);
                    text.push_str(": ");
                    value.write(text, level + 1, true);
                }
            }
            Self::List(items) => {
                if after_key || items.is_empty() {
                    text.push('\n');
                }
                for item in items {
                    begin(text);
                    text.push_str("- ");
                    item.write(text, level + 1, false);
                }
            }
        }
    }
}

/// A map from pairs.
#[must_use]
pub fn map<const N: usize>(entries: [(&str, Node); N]) -> Node {
    Node::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Parameters with what is set shown as it is, and what is inherited as `default (…)`.
#[must_use]
pub fn params(own: Option<&Value>, actual: &Value) -> Node {
    let Some(actual) = actual.as_object() else { return Node::Map(Vec::new()) };
    let entry = |(key, value): (&String, &Value)| {
        let set = own.and_then(|own| own.get(key));
        let node = match value {
            Value::Object(object) if !object.is_empty() => params(set, value),
            _ => match set {
                Some(set) => Node::json(set),
                None => Node::text(format!("default ({})", python_str(value))),
            },
        };
        (key.clone(), node)
    };
    Node::Map(actual.iter().map(entry).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn layout() {
        let tree = Node::List(vec![map([
            ("Name", Node::text("web1")),
            (
                "Nodes",
                Node::List(vec![map([("primary", Node::text("n1")), ("group", Node::text("g"))]), map([("secondaries", Node::text(""))])]),
            ),
            ("Empty", Node::Map(vec![])),
            ("Params", params(Some(&json!({"a": true})), &json!({"a": true, "b": null, "c": 1}))),
        ])]);
        let expected = "- Name: web1\n  Nodes: \n    - primary: n1\n      group: g\n    - secondaries: \n  Empty: \n  Params: \n    a: True\n    \
                        b: default (None)\n    c: default (1)\n";
        assert_eq!(tree.render(), expected);
    }
}
