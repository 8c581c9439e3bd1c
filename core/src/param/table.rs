//! What parameters there are: names, types, defaults; and how a value given by a client becomes one of that type.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::parse_unit;
use crate::config::ParamMap;

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `float`.
    Float,
    /// An amount in MiB that may be written with a unit.
    Size,
    /// `string`.
    Text,
    /// `maybe-string`: a text or null.
    MaybeText,
}

/// The default of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamDefault {
    /// For [`Kind::Bool`].
    Bool(bool),
    /// For [`Kind::Int`] and [`Kind::Size`].
    Int(i64),
    /// For [`Kind::Float`].
    Float(f64),
    /// For texts.
    Text(&'static str),
}

impl ParamDefault {
    /// The default as it is written in the configuration.
    #[must_use]
    pub fn to_json(self) -> Value {
        match self {
            Self::Bool(value) => value.into(),
            Self::Int(value) => value.into(),
            Self::Float(value) => value.into(),
            Self::Text(value) => value.into(),
        }
    }
}

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its value when nobody sets one.
    pub default: ParamDefault,
}

impl Param {
    /// A parameter that is true or false.
    #[must_use]
    pub const fn bool(name: &'static str, default: bool) -> Self {
        Self { name, kind: Kind::Bool, default: ParamDefault::Bool(default) }
    }

    /// A whole number.
    #[must_use]
    pub const fn int(name: &'static str, default: i64) -> Self {
        Self { name, kind: Kind::Int, default: ParamDefault::Int(default) }
    }

    /// A number.
    #[must_use]
    pub const fn float(name: &'static str, default: f64) -> Self {
        Self { name, kind: Kind::Float, default: ParamDefault::Float(default) }
    }

    /// An amount in MiB.
    #[must_use]
    pub const fn size(name: &'static str, default_mib: i64) -> Self {
        Self { name, kind: Kind::Size, default: ParamDefault::Int(default_mib) }
    }

    /// A text.
    #[must_use]
    pub const fn text(name: &'static str, default: &'static str) -> Self {
        Self { name, kind: Kind::Text, default: ParamDefault::Text(default) }
    }

    /// A text or null.
    #[must_use]
    pub const fn maybe_text(name: &'static str, default: &'static str) -> Self {
        Self { name, kind: Kind::MaybeText, default: ParamDefault::Text(default) }
    }

    /// Makes a value of the parameter's type (Ganeti: ForceDictType).
    ///
    /// # Errors
    /// The value cannot be read as one of this type.
    pub fn coerce(&self, value: &Value) -> Result<Value, TypeError> {
        let wrong = |what| TypeError::Wrong { name: self.name.to_owned(), value: shown(value), what };
        match self.kind {
            Kind::Bool => to_bool(value).map(Value::Bool).ok_or_else(|| wrong("boolean")),
            Kind::Int => to_int(value).map(Value::from).ok_or_else(|| wrong("integer")),
            Kind::Float => to_float(value).map(Value::Number).ok_or_else(|| wrong("float")),
            Kind::Size => match parse_unit(&shown(value)) {
                Ok(mib) => Ok(mib.into()),
                Err(reason) => Err(TypeError::Size { name: self.name.to_owned(), value: shown(value), reason }),
            },
            Kind::MaybeText if value.is_null() => Ok(Value::Null),
            Kind::Text | Kind::MaybeText => match value {
                Value::String(_) => Ok(value.clone()),
                Value::Bool(false) => Ok("".into()),
                _ => Err(wrong("string")),
            },
        }
    }
}

/// Why a set of parameters is refused. The wording is Ganeti's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// There is no such parameter.
    #[error("Unknown parameter '{0}'")]
    Unknown(String),
    /// The value is of another type.
    #[error("'{name}' (value {value}) is not a valid {what}")]
    Wrong {
        /// The parameter.
        name: String,
        /// Its value.
        value: String,
        /// What it should be.
        what: &'static str,
    },
    /// The value is no size.
    #[error("'{name}' (value {value}) is not a valid size. error: {reason}")]
    Size {
        /// The parameter.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: super::UnitParseError,
    },
}

/// What a modification does with one parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Leaves it as it is.
    Keep,
    /// Removes the own value, so that the inherited one counts (written `default`).
    Inherit,
    /// Gives it a value of its own.
    Set(Value),
}

/// The word that removes a parameter's own value.
pub const INHERIT: &str = "default";

/// The defaults of a table.
#[must_use]
pub fn defaults(table: &[Param]) -> ParamMap {
    table.iter().map(|param| (param.name.to_owned(), param.default.to_json())).collect()
}

/// Checks names and types of values and brings them into the form of the configuration.
///
/// # Errors
/// A name is unknown, or a value is of another type.
pub fn check_names_and_types<'a>(
    table: &[Param],
    values: impl IntoIterator<Item = (&'a String, &'a Value)>,
) -> Result<ParamMap, TypeError> {
    values.into_iter().map(|(name, value)| Ok((name.clone(), find(table, name)?.coerce(value)?))).collect()
}

/// The same for a modification, in which `default` means [`Change::Inherit`].
///
/// # Errors
/// A name is unknown, or a value is of another type.
pub fn check_changes<'a>(
    table: &[Param],
    values: impl IntoIterator<Item = (&'a String, &'a Value)>,
) -> Result<BTreeMap<String, Change>, TypeError> {
    let changes = values.into_iter().map(|(name, value)| {
        let param = find(table, name)?;
        let change = if value == INHERIT { Change::Inherit } else { Change::Set(param.coerce(value)?) };
        Ok((name.clone(), change))
    });
    changes.collect()
}

/// The values after a modification (Ganeti: GetUpdatedParams).
#[must_use]
pub fn changed(old: &ParamMap, changes: &BTreeMap<String, Change>) -> ParamMap {
    let mut new = old.clone();
    for (name, change) in changes {
        match change {
            Change::Keep => {}
            Change::Inherit => {
                new.remove(name);
            }
            Change::Set(value) => {
                new.insert(name.clone(), value.clone());
            }
        }
    }
    new
}

fn find<'a>(table: &'a [Param], name: &str) -> Result<&'a Param, TypeError> {
    table.iter().find(|param| param.name == name).ok_or_else(|| TypeError::Unknown(name.to_owned()))
}

/// A value as Ganeti's messages show it.
#[must_use]
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::String(text) if text.is_empty() => Some(false),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Value::String(_) => None,
        Value::Null => Some(false),
        Value::Bool(value) => Some(*value),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::Array(list) => Some(!list.is_empty()),
        Value::Object(map) => Some(!map.is_empty()),
    }
}

/// What Python's `int()` makes of it.
fn to_int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Some(whole),
            // Beyond this a float is no longer exact, and no parameter is as large.
            (None, Some(float)) if float.abs() < 9e15 => Some(float.trunc() as i64),
            _ => None,
        },
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What Python's `float()` makes of it, but infinity and NaN, which JSON cannot hold.
fn to_float(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Number::from_f64(number.as_f64()?),
        Value::String(text) => Number::from_f64(text.trim().parse().ok()?),
        Value::Bool(value) => Number::from_f64(f64::from(u8::from(*value))),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: &[Param] = &[
        Param::bool("flag", false),
        Param::int("number", 1),
        Param::float("ratio", 1.0),
        Param::size("memory", 128),
        Param::text("text", "x"),
        Param::maybe_text("maybe", "y"),
    ];

    #[track_caller]
    fn check(name: &str, value: Value, expected: Result<Value, &str>) {
        let values = ParamMap::from([(name.to_owned(), value)]);
        let found = check_names_and_types(TABLE, &values).map(|mut values| values.remove(name).unwrap());
        assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn values_take_the_type_of_their_parameter() {
        check("flag", json!("TRUE"), Ok(json!(true)));
        check("flag", json!(0), Ok(json!(false)));
        check("flag", json!("yes"), Err("'flag' (value yes) is not a valid boolean"));
        check("number", json!("5"), Ok(json!(5)));
        check("number", json!("5x"), Err("'number' (value 5x) is not a valid integer"));
        check("number", json!(null), Err("'number' (value None) is not a valid integer"));
        check("ratio", json!(2), Ok(json!(2.0)));
        check("ratio", json!("inf"), Err("'ratio' (value inf) is not a valid float"));
        check("memory", json!("1G"), Ok(json!(1024)));
        check("memory", json!(130), Ok(json!(132)));
        check("memory", json!("much"), Err("'memory' (value much) is not a valid size. error: Invalid format"));
        check("text", json!(false), Ok(json!("")));
        check("text", json!(null), Err("'text' (value None) is not a valid string"));
        check("maybe", json!(null), Ok(json!(null)));
        check("other", json!(1), Err("Unknown parameter 'other'"));
    }

    #[test]
    fn default_means_inherit() {
        let request = ParamMap::from([("number".to_owned(), json!("default")), ("text".to_owned(), json!("new"))]);
        let changes = check_changes(TABLE, &request).unwrap();
        let old = ParamMap::from([("number".to_owned(), json!(7)), ("flag".to_owned(), json!(true))]);
        let new = changed(&old, &changes);
        assert_eq!(new, ParamMap::from([("flag".to_owned(), json!(true)), ("text".to_owned(), json!("new"))]));
        assert_eq!(changed(&new, &changes), new);
    }
}
