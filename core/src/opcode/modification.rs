//! Modifications of lists: NICs and disks of an instance, OS names of a cluster.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::param::closed_set;

closed_set! {
    /// What a modification does with a list of devices.
    pub enum ModAction ("modification") {
        /// A new device.
        Add = "add",
        /// A disk that exists without an instance becomes one of this instance.
        Attach = "attach",
        /// A disk leaves the instance but is kept.
        Detach = "detach",
        /// An existing device gets other parameters.
        Modify = "modify",
        /// A device is removed, with its data.
        Remove = "remove",
    }
}

closed_set! {
    /// What a modification does with a list of names.
    pub enum ListChange ("list modification") {
        /// Adds the name.
        Add = "add",
        /// Accepted by the type; lists of names have no use for it.
        Attach = "attach",
        /// Accepted by the type; lists of names have no use for it.
        Detach = "detach",
        /// Removes the name.
        Remove = "remove",
    }
}

/// Which device is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ModTarget {
    /// By position; -1 is the last one, or the end of the list when something is added.
    Index(i64),
    /// By name or UUID.
    Name(String),
}

impl ModTarget {
    /// The last device, or the end of the list.
    pub const LAST: Self = Self::Index(-1);
}

/// One modification: `[action, target, parameters]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mod<T> {
    /// What is done.
    pub action: ModAction,
    /// To which device.
    pub target: ModTarget,
    /// With which parameters.
    pub params: T,
}

/// Modifications of a list, in the order they are applied.
///
/// The older form `[action or index, parameters]` is understood (an index means modify) and written in the newer form.
#[derive(Debug, Clone, PartialEq)]
pub struct Mods<T>(pub Vec<Mod<T>>);

impl<T> Default for Mods<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Mods<T> {
    /// Whether nothing is modified.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The modifications in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Mod<T>> {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a Mods<T> {
    type Item = &'a Mod<T>;
    type IntoIter = std::slice::Iter<'a, Mod<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Serialize> Serialize for Mods<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|m| (m.action, &m.target, &m.params)))
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Mods<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<Vec<Value>>::deserialize(deserializer)?;
        let mods = entries.into_iter().map(|entry| match <[Value; 3]>::try_from(entry) {
            Ok([action, target, params]) => full(action, target, params),
            Err(entry) => match <[Value; 2]>::try_from(entry) {
                Ok([which, params]) => legacy(which, params),
                Err(_) => Err(serde_json::Error::custom("a modification is [action, index or name, parameters]")),
            },
        });
        mods.collect::<Result<_, _>>().map(Self).map_err(D::Error::custom)
    }
}

fn full<T: DeserializeOwned>(action: Value, target: Value, params: Value) -> Result<Mod<T>, serde_json::Error> {
    Ok(Mod { action: serde_json::from_value(action)?, target: serde_json::from_value(target)?, params: serde_json::from_value(params)? })
}

fn legacy<T: DeserializeOwned>(which: Value, params: Value) -> Result<Mod<T>, serde_json::Error> {
    let (action, target) = match which {
        Value::String(word) => match word.parse::<ModAction>() {
            Ok(ModAction::Modify) => return Err(serde_json::Error::custom("modify needs an index")),
            Ok(action) => (action, ModTarget::LAST),
            Err(error) => return Err(serde_json::Error::custom(error)),
        },
        index => (ModAction::Modify, ModTarget::Index(serde_json::from_value(index)?)),
    };
    Ok(Mod { action, target, params: serde_json::from_value(params)? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(written: Value, expected: Option<Value>) {
        let read = serde_json::from_value::<Mods<Value>>(written.clone()).ok();
        assert_eq!(read.map(|mods| json!(mods)), expected, "{written}");
    }

    #[test]
    fn both_forms() {
        check(json!([["add", -1, {"link": "br0"}]]), Some(json!([["add", -1, {"link": "br0"}]])));
        check(json!([["modify", "eth0", {}]]), Some(json!([["modify", "eth0", {}]])));
        check(json!([["add", {}], [2, {}]]), Some(json!([["add", -1, {}], ["modify", 2, {}]])));
        check(json!([["modify", {}]]), None);
        check(json!([["grow", 0, {}]]), None);
        check(json!([["add"]]), None);
    }
}
