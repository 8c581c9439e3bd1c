//! Changes of configuration objects, as data that a plan can hold.

use gannet_confd::command::Expect;
use gannet_core::config::{Object, ObjectKind};
use gannet_core::quantity::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::State;

/// What must be true of an object when its change is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precondition {
    /// It does not exist.
    Absent,
    /// It is at this revision: as it was when the job looked.
    Rev(u64),
}

impl From<Precondition> for Expect {
    fn from(precondition: Precondition) -> Self {
        match precondition {
            Precondition::Absent => Self::Absent,
            Precondition::Rev(rev) => Self::Rev(rev),
        }
    }
}

/// One object's new state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its row id.
    pub id: String,
    /// The object as JSON; `None` removes it.
    pub value: Option<Value>,
    /// What it must be before.
    pub before: Precondition,
}

/// Changes that are written together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Changes(pub Vec<Change>);

impl Changes {
    /// No change.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a new object; the write fails if it exists by then.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "a builder that reads as what it does; it adds an object, not two sets")]
    pub fn add(self, object: &Object) -> Self {
        self.with(object, Precondition::Absent)
    }

    /// Puts `object` in place of what `state` has; the write fails if somebody else changes it before. An object that
    /// `state` does not have is added.
    #[must_use]
    pub fn update(self, state: &State, object: &Object) -> Self {
        let before = before(state, object.kind(), object.id());
        self.with(object, before)
    }

    /// Removes an object that `state` has.
    #[must_use]
    pub fn remove(mut self, state: &State, kind: ObjectKind, id: &str) -> Self {
        self.0.push(Change { kind, id: id.to_owned(), value: None, before: before(state, kind, id) });
        self
    }

    /// Both, in order.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn with(mut self, object: &Object, before: Precondition) -> Self {
        // Configuration objects hold no map with other keys than strings and no float that is not finite (parsers refuse
        // them), so this cannot fail.
        let value = object.to_json().and_then(|json| serde_json::from_str(&json)).expect("a configuration object is always JSON");
        self.0.push(Change { kind: object.kind(), id: object.id().to_owned(), value: Some(value), before });
        self
    }
}

fn before(state: &State, kind: ObjectKind, id: &str) -> Precondition {
    state.revs.get(&(kind, id.to_owned())).map_or(Precondition::Absent, |rev| Precondition::Rev(*rev))
}

/// Sets the stamps of an object that is about to be written: `mtime`, `serial_no`, and `ctime` of a new one.
pub(crate) fn stamp(value: &mut Value, is_new: bool, now: Timestamp) {
    let Some(object) = value.as_object_mut() else { return };
    if !object.contains_key("serial_no") {
        return;
    }
    let serial = if is_new { 1 } else { object.get("serial_no").and_then(Value::as_u64).unwrap_or(0) + 1 };
    object.insert("serial_no".to_owned(), serial.into());
    object.insert("mtime".to_owned(), now.as_secs_f64().into());
    if is_new {
        object.insert("ctime".to_owned(), now.as_secs_f64().into());
    }
}
