//! The messages of job logs as text.

use gannet_core::job::LogType;
use serde_json::Value;

/// The lines of one entry, without its time. Control characters cannot change the terminal.
#[must_use]
pub fn lines(kind: LogType, message: &Value) -> Vec<String> {
    match (kind, message) {
        (LogType::MessageList, Value::Array(items)) => items.iter().map(plain).collect(),
        (_, message) => vec![plain(message)],
    }
}

fn plain(message: &Value) -> String {
    let text = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    text.trim_end().chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '?' } else { c }).collect()
}
