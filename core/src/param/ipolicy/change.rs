//! Modification of a policy.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{MinMax, PartialIPolicy, Spec};
use crate::param::{DiskTemplate, INHERIT, Param, TypeError, check_names_and_types, table};

/// Why a policy, or a modification of one, is refused. The wording is Ganeti's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IPolicyError {
    /// There is no such key.
    #[error("Invalid key in new ipolicy: {0}")]
    Key(String),
    /// The cluster has nothing to inherit from.
    #[error("Can't unset ipolicy attribute '{0}' on the cluster'")]
    Unset(String),
    /// The standard instance is the cluster's.
    #[error("std cannot appear in group instance specs")]
    StdInGroup,
    /// A value is of another type.
    #[error("Invalid value for attribute '{key}': '{value}', error: {reason}")]
    Value {
        /// The key.
        key: String,
        /// What was given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A size is unknown or no number.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// No range at all.
    #[error("Empty minmax specifications")]
    NoRange,
    /// A range without room.
    #[error("Invalid specification of min/max values for {name}: {min}/{max}")]
    Range {
        /// The size.
        name: &'static str,
        /// Its lower limit.
        min: u64,
        /// Its upper limit.
        max: u64,
    },
    /// No range holds the standard instance.
    #[error("Invalid std specifications")]
    Std,
    /// No disk template at all.
    #[error("Instance policy must contain at least one disk template")]
    NoTemplate,
}

/// Types of the sizes; those in MiB may be written with a unit.
const SPEC_TABLE: &[Param] = &[
    Param::int("cpu-count", 1),
    Param::int("disk-count", 1),
    Param::size("disk-size", 1024),
    Param::size("memory-size", 128),
    Param::int("nic-count", 1),
    Param::int("spindle-use", 1),
];

/// The policy after a modification (Ganeti: GetUpdatedIPolicy). An empty value or `default` inherits; only groups can.
///
/// The result still has to be checked: for a group with [`PartialIPolicy::check`], for the cluster filled, with
/// [`super::IPolicy::check`].
///
/// # Errors
/// A key is unknown or cannot be changed here, or a value is of another type.
pub fn changed(old: &PartialIPolicy, request: &Map<String, Value>, of_group: bool) -> Result<PartialIPolicy, IPolicyError> {
    let mut new = old.clone();
    for (key, value) in request {
        let inherit = is_inherit(value);
        if inherit && !of_group && KEYS.contains(&key.as_str()) {
            return Err(IPolicyError::Unset(key.clone()));
        }
        match key.as_str() {
            "disk-templates" => new.disk_templates = unless(inherit, || templates(value))?,
            "minmax" => new.minmax = unless(inherit, || ranges(value))?,
            "spindle-ratio" => new.spindle_ratio = unless(inherit, || ratio(key, value))?,
            "vcpu-ratio" => new.vcpu_ratio = unless(inherit, || ratio(key, value))?,
            "std" if inherit => new.std = None,
            "std" if of_group => return Err(IPolicyError::StdInGroup),
            "std" => new.std.get_or_insert_default().extend(read::<std::collections::BTreeMap<_, _>>(key, &sizes(value)?)?),
            _ => return Err(IPolicyError::Key(key.clone())),
        }
    }
    Ok(new)
}

const KEYS: [&str; 5] = ["disk-templates", "minmax", "spindle-ratio", "std", "vcpu-ratio"];

fn unless<T>(inherit: bool, value: impl FnOnce() -> Result<T, IPolicyError>) -> Result<Option<T>, IPolicyError> {
    if inherit { Ok(None) } else { value().map(Some) }
}

fn is_inherit(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text == INHERIT,
        Value::Array(list) => list.is_empty() || matches!(list.as_slice(), [only] if only == INHERIT),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) => false,
    }
}

fn ratio(key: &str, value: &Value) -> Result<f64, IPolicyError> {
    let number = Param::float("ratio", 1.0).coerce(value).ok().and_then(|number| number.as_f64());
    number.ok_or_else(|| wrong(key, value, "not a number"))
}

fn templates(value: &Value) -> Result<Vec<DiskTemplate>, IPolicyError> {
    read("disk-templates", value)
}

fn ranges(value: &Value) -> Result<Vec<MinMax>, IPolicyError> {
    let ranges = value.as_array().ok_or_else(|| wrong("minmax", value, "not a list"))?;
    let range = |range: &Value| {
        let limit = |name: &str| -> Result<Spec, IPolicyError> {
            let limit = range.get(name).ok_or_else(|| wrong("minmax", range, &format!("Missing instance specification: {name}")))?;
            read("minmax", &sizes(limit)?)
        };
        Ok(MinMax { max: limit("max")?, min: limit("min")? })
    };
    ranges.iter().map(range).collect()
}

/// Sizes as whole numbers in MiB.
fn sizes(value: &Value) -> Result<Value, IPolicyError> {
    let sizes = value.as_object().ok_or_else(|| wrong("minmax", value, "not a dictionary"))?;
    Ok(Value::Object(check_names_and_types(SPEC_TABLE, sizes)?.into_iter().collect()))
}

fn read<T: DeserializeOwned>(key: &str, value: &Value) -> Result<T, IPolicyError> {
    serde_json::from_value(value.clone()).map_err(|error| wrong(key, value, &error.to_string()))
}

fn wrong(key: &str, value: &Value, reason: &str) -> IPolicyError {
    IPolicyError::Value { key: key.to_owned(), value: table::shown(value), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::IPolicy;
    use super::*;

    fn request(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn groups_can_inherit_and_clusters_cannot() {
        let old = PartialIPolicy { vcpu_ratio: Some(2.0), ..PartialIPolicy::default() };
        let unset = request(json!({"vcpu-ratio": "default"}));
        assert_eq!(changed(&old, &unset, true), Ok(PartialIPolicy::default()));
        assert_eq!(changed(&old, &unset, false), Err(IPolicyError::Unset("vcpu-ratio".to_owned())));
        assert_eq!(changed(&old, &request(json!({"std": {"cpu-count": 1}})), true), Err(IPolicyError::StdInGroup));
        assert_eq!(changed(&old, &request(json!({"ratio": 1})), true), Err(IPolicyError::Key("ratio".to_owned())));
    }

    #[test]
    fn sizes_may_have_units() {
        let new = changed(&PartialIPolicy::default(), &request(json!({"std": {"memory-size": "1G"}, "vcpu-ratio": "3"})), false).unwrap();
        let policy = IPolicy::default().overlaid(&new);
        assert_eq!((policy.std.memory_size, policy.std.cpu_count, policy.vcpu_ratio), (1024, 1, 3.0));
        assert_eq!(policy.check(), Ok(()));
        let outside = changed(&new, &request(json!({"std": {"cpu-count": 100}})), false).unwrap();
        assert_eq!(IPolicy::default().overlaid(&outside).check(), Err(IPolicyError::Std));
    }

    #[test]
    fn ranges_need_both_ends_and_room() {
        let spec = json!(Spec::DEFAULT_MIN);
        let missing = request(json!({"minmax": [{"max": spec}]}));
        assert!(changed(&PartialIPolicy::default(), &missing, true).unwrap_err().to_string().contains("specification: min"));
        let turned = request(json!({"minmax": [{"min": Spec::DEFAULT_MAX, "max": spec}]}));
        let turned = changed(&PartialIPolicy::default(), &turned, true).unwrap();
        assert_eq!(turned.check().unwrap_err().to_string(), "Invalid specification of min/max values for cpu-count: 8/1");
    }
}
