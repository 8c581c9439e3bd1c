//! Errors as clients see them: Ganeti's error classes and, for refusals, its ten codes.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Why an operation was refused (Ganeti: ECODE_*). A script can decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorCode {
    /// Name resolution failed.
    #[serde(rename = "resolver_error")]
    Resolver,
    /// Not enough resources.
    #[serde(rename = "insufficient_resources")]
    NoResources,
    /// Not enough resources now; a later try may succeed.
    #[serde(rename = "temp_insufficient_resources")]
    TempNoResources,
    /// Bad arguments.
    #[serde(rename = "wrong_input")]
    Invalid,
    /// The entity is in the wrong state for this.
    #[serde(rename = "wrong_state")]
    State,
    /// There is no such entity.
    #[serde(rename = "unknown_entity")]
    NoEntity,
    /// The entity exists already.
    #[serde(rename = "already_exists")]
    Exists,
    /// A resource (MAC, IP…) is in use.
    #[serde(rename = "resource_not_unique")]
    NotUnique,
    /// A fault of the software.
    #[serde(rename = "internal_error")]
    Fault,
    /// Something in the environment is wrong (a daemon, a program, a node).
    #[serde(rename = "environment_error")]
    Environment,
}

impl ErrorCode {
    /// Ganeti's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolver => "resolver_error",
            Self::NoResources => "insufficient_resources",
            Self::TempNoResources => "temp_insufficient_resources",
            Self::Invalid => "wrong_input",
            Self::State => "wrong_state",
            Self::NoEntity => "unknown_entity",
            Self::Exists => "already_exists",
            Self::NotUnique => "resource_not_unique",
            Self::Fault => "internal_error",
            Self::Environment => "environment_error",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error on the wire: `[class, [arguments…]]`, as LUXI answers and failed opcodes' results carry it.
#[derive(Debug, Clone, PartialEq)]
pub struct WireError {
    /// Ganeti's exception class, e.g. `OpPrereqError`.
    pub class: String,
    /// Its arguments; the first one is the message.
    pub args: Vec<Value>,
}

/// The class of errors that mean: the state cannot be written (or read anew) now, since no majority keeps it or no master can be
/// reached. Nothing was done, unless the message says that this is not known.
pub const STATE_UNAVAILABLE: &str = "StateUnavailable";

impl WireError {
    /// An error of `class` with one text.
    #[must_use]
    pub fn new(class: &str, message: impl Into<String>) -> Self {
        Self { class: class.to_owned(), args: vec![Value::String(message.into())] }
    }

    /// A refusal: nothing was changed.
    #[must_use]
    pub fn prereq(message: impl Into<String>, code: ErrorCode) -> Self {
        Self { class: "OpPrereqError".to_owned(), args: vec![Value::String(message.into()), json!(code)] }
    }

    /// A failure while carrying out.
    #[must_use]
    pub fn exec(message: impl Into<String>) -> Self {
        Self::new("OpExecError", message)
    }

    /// Reads `[class, [arguments…]]`; `None` when `value` has another shape.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        match value.as_array()?.as_slice() {
            [Value::String(class), Value::Array(args)] => Some(Self { class: class.clone(), args: args.clone() }),
            _ => None,
        }
    }

    /// Writes `[class, [arguments…]]`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!([self.class, self.args])
    }

    /// The message: the first argument as text.
    #[must_use]
    pub fn message(&self) -> String {
        match self.args.first() {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => self.class.clone(),
        }
    }

    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        self.args.get(1).and_then(|code| serde_json::from_value(code.clone()).ok())
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for WireError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_errors_round_trip() {
        let error = WireError::prereq("Instance 'x' not known", ErrorCode::NoEntity);
        let json = error.to_json();
        assert_eq!(json, json!(["OpPrereqError", ["Instance 'x' not known", "unknown_entity"]]));
        assert_eq!(WireError::from_json(&json).unwrap(), error);
        assert_eq!(error.code(), Some(ErrorCode::NoEntity));
        assert_eq!(WireError::from_json(&json!("text")), None);
    }
}
