//! Values that must not be seen, and where they are cut out.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What stands for a value that was cut out (Ganeti's marker).
pub const REDACTED: &str = "<redacted>";

/// A value that is stored but shown to nobody: `Debug` and job listings hide it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(pub T);

/// A value that is not even stored: it lives in memory until its job is done.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret<T>(pub T);

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// Parameters whose values are private or secret.
const SECRET: &[&str] = &["osparams_secret"];
const PRIVATE: &[&str] = &["osparams_private", "osparams_private_cluster"];

/// Whether values of `parameter` must not be shown.
#[must_use]
pub fn is_confidential(parameter: &str) -> bool {
    SECRET.contains(&parameter) || PRIVATE.contains(&parameter)
}

/// Puts the marker in the place of secret values, also in opcodes inside opcodes: the form for the job's record.
/// True when there was one to hide.
pub(super) fn cut_secret(object: &mut Map<String, Value>) -> bool {
    cut(object, &|parameter| SECRET.contains(&parameter))
}

/// Puts the marker in the place of private and secret values: the form for job listings.
pub(super) fn cut_confidential(object: &mut Map<String, Value>) {
    cut(object, &is_confidential);
}

fn cut(object: &mut Map<String, Value>, hidden: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    for (key, value) in object.iter_mut() {
        if hidden(key) {
            found |= redact(value);
        } else if key == "instances"
            && let Value::Array(opcodes) = value
        {
            for inner in opcodes.iter_mut().filter_map(Value::as_object_mut) {
                found |= cut(inner, hidden);
            }
        }
    }
    found
}

/// Keeps the keys, hides the values; null stays null.
fn redact(value: &mut Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(map) => map.values_mut().fold(false, |found, value| redact(value) | found),
        other => {
            *other = Value::String(REDACTED.to_owned());
            true
        }
    }
}
