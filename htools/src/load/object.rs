//! Values of JSON objects, with errors that name the object and the key.

use serde_json::{Map, Value};

use super::number::LARGEST;
use crate::policy::{MinMax, Policy, Spec};

/// A JSON object and what it is called in errors.
#[derive(Debug, Clone)]
pub struct Object<'a> {
    whose: String,
    fields: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// The object `fields` of `whose`.
    #[must_use]
    pub fn new(whose: impl Into<String>, fields: &'a Map<String, Value>) -> Self {
        Self { whose: whose.into(), fields }
    }

    /// The object that `value` is.
    ///
    /// # Errors
    /// It is none.
    pub fn of(whose: impl Into<String>, value: &'a Value) -> Result<Self, String> {
        let whose = whose.into();
        match value {
            Value::Object(fields) => Ok(Self { whose, fields }),
            _ => Err(format!("{whose}: not a JSON object")),
        }
    }

    /// The value of a key; `None`: it is missing or null.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    /// The value of a key.
    ///
    /// # Errors
    /// It is missing or null.
    pub fn need(&self, key: &str) -> Result<&'a Value, String> {
        self.get(key).ok_or_else(|| format!("{}: there is no value for '{key}'", self.whose))
    }

    /// A text.
    ///
    /// # Errors
    /// It is missing, or not a text.
    pub fn text(&self, key: &str) -> Result<&'a str, String> {
        self.need(key)?.as_str().ok_or_else(|| self.wrong(key, "a text"))
    }

    /// A text that is one of a closed set.
    ///
    /// # Errors
    /// It is missing, or none of them.
    pub fn parsed<T: std::str::FromStr>(&self, key: &str) -> Result<T, String> {
        let text = self.text(key)?;
        text.parse().map_err(|_| format!("{}: invalid value '{text}' of '{key}'", self.whose))
    }

    /// True or false.
    ///
    /// # Errors
    /// It is missing, or neither.
    pub fn truth(&self, key: &str) -> Result<bool, String> {
        self.need(key)?.as_bool().ok_or_else(|| self.wrong(key, "true or false"))
    }

    /// A number, of which the whole part counts.
    ///
    /// # Errors
    /// It is missing, no number, or too large.
    pub fn whole(&self, key: &str) -> Result<i64, String> {
        whole(self.need(key)?).ok_or_else(|| self.wrong(key, "a number of a sensible size"))
    }

    /// A number.
    ///
    /// # Errors
    /// It is missing, no number, or too large.
    pub fn real(&self, key: &str) -> Result<f64, String> {
        let fits = |number: &f64| number.abs() <= crate::state::real(LARGEST);
        self.need(key)?.as_f64().filter(fits).ok_or_else(|| self.wrong(key, "a number of a sensible size"))
    }

    /// A list of texts.
    ///
    /// # Errors
    /// It is missing, or something else.
    pub fn texts(&self, key: &str) -> Result<Vec<String>, String> {
        let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| self.wrong(key, "a list of texts"));
        self.list(key)?.iter().map(text).collect()
    }

    /// A list.
    ///
    /// # Errors
    /// It is missing, or something else.
    pub fn list(&self, key: &str) -> Result<&'a [Value], String> {
        self.need(key)?.as_array().map(Vec::as_slice).ok_or_else(|| self.wrong(key, "a list"))
    }

    /// A list of numbers, of which some may be null.
    ///
    /// # Errors
    /// It is missing, or something else.
    pub fn numbers(&self, key: &str) -> Result<Vec<Option<i64>>, String> {
        let number = |value: &Value| match value {
            Value::Null => Ok(None),
            value => whole(value).map(Some).ok_or_else(|| self.wrong(key, "a list of numbers")),
        };
        self.list(key)?.iter().map(number).collect()
    }

    /// An object in this one.
    ///
    /// # Errors
    /// It is missing, or something else.
    pub fn object(&self, key: &str) -> Result<Self, String> {
        Self::of(format!("{}: '{key}'", self.whose), self.need(key)?)
    }

    /// An instance policy without gaps.
    ///
    /// # Errors
    /// It is missing or incomplete.
    pub fn policy(&self, key: &str) -> Result<Policy, String> {
        let policy = self.object(key)?;
        let range = |value: &'a Value| {
            let range = Self::of(format!("{}: 'minmax'", policy.whose), value)?;
            Ok(MinMax { min: range.spec("min")?, max: range.spec("max")? })
        };
        let templates = policy.texts("disk-templates")?;
        Ok(Policy {
            ranges: policy.list("minmax")?.iter().map(range).collect::<Result<_, String>>()?,
            standard: policy.spec("std")?,
            templates: templates
                .iter()
                .map(|name| name.parse().map_err(|_| format!("{}: invalid disk template '{name}'", policy.whose)))
                .collect::<Result<_, String>>()?,
            vcpu_ratio: policy.real("vcpu-ratio")?,
            spindle_ratio: policy.real("spindle-ratio")?,
        })
    }

    fn spec(&self, key: &str) -> Result<Spec, String> {
        let spec = self.object(key)?;
        Ok(Spec {
            memory: spec.whole("memory-size")?,
            cpus: spec.whole("cpu-count")?,
            disk: spec.whole("disk-size")?,
            disks: spec.whole("disk-count")?,
            nics: spec.whole("nic-count")?,
            spindles: spec.whole("spindle-use")?,
        })
    }

    fn wrong(&self, key: &str, expected: &str) -> String {
        let value = self.fields.get(key).map(ToString::to_string).unwrap_or_default();
        format!("{}: '{key}' is {value}, not {expected}", self.whose)
    }
}

/// The whole part of a number that is not too large.
fn whole(value: &Value) -> Option<i64> {
    let number = value.as_i64().or_else(|| {
        let real = value.as_f64().filter(|real| real.abs() <= crate::state::real(LARGEST))?;
        Some(crate::node::truncated(real))
    });
    number.filter(|number| number.unsigned_abs() <= LARGEST.unsigned_abs())
}
