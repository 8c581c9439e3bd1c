//! One value of a row, borrowed from where it lives and written straight into the answer's text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gannet_core::config::ParamMap;
use gannet_core::query::{ResultEntry, ResultStatus};
use gannet_core::tag::TagSet;
use serde::Serialize;
use serde_json::Value;

use super::layer::Layered;

/// The value of a field of a row.
#[derive(Debug, Clone)]
pub(crate) enum Cell<'a> {
    /// Live, and the nodes have not been asked yet: only in the first round of filtering.
    Pending,
    /// There is no value, and why.
    Without(ResultStatus),
    /// A value that is null.
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(Cow<'a, str>),
    Texts(Vec<Option<Cow<'a, str>>>),
    Uints(Vec<Option<u64>>),
    Json(Value),
    JsonRef(&'a Value),
    Params(&'a ParamMap),
    TextMap(&'a BTreeMap<String, String>),
    Tags(&'a TagSet),
    Layered(Layered<'a>),
}

impl<'a> Cell<'a> {
    pub(crate) const UNKNOWN: Self = Self::Without(ResultStatus::Unknown);
    pub(crate) const NO_DATA: Self = Self::Without(ResultStatus::NoData);
    pub(crate) const UNAVAIL: Self = Self::Without(ResultStatus::Unavail);
    pub(crate) const OFFLINE: Self = Self::Without(ResultStatus::Offline);

    /// The cell, or "unavailable" where the item has no such thing.
    pub(crate) fn or_unavail(value: Option<impl Into<Self>>) -> Self {
        value.map_or(Self::UNAVAIL, Into::into)
    }

    /// The cell, or "no data" where the configuration is incomplete.
    pub(crate) fn or_no_data(value: Option<impl Into<Self>>) -> Self {
        value.map_or(Self::NO_DATA, Into::into)
    }

    /// Texts that are all there.
    pub(crate) fn texts<T: Into<Cow<'a, str>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::Texts(texts.into_iter().map(|text| Some(text.into())).collect())
    }

    /// Anything that serialises; null when it cannot be (a float that is no number).
    pub(crate) fn json(value: impl Serialize) -> Self {
        Self::Json(serde_json::to_value(value).unwrap_or_default())
    }

    /// The status on the wire. A pending cell that is asked for its status has no data.
    pub(crate) fn status(&self) -> ResultStatus {
        match self {
            Self::Pending => ResultStatus::NoData,
            Self::Without(status) => *status,
            _ => ResultStatus::Normal,
        }
    }

    /// For the filter; `None` while pending.
    pub(crate) fn entry(&self) -> Option<ResultEntry> {
        match self {
            Self::Pending => None,
            _ => Some(ResultEntry { status: self.status(), value: self.to_value() }),
        }
    }

    /// The value as a tree; null when there is none.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Pending | Self::Without(_) | Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::from(*value),
            Self::Uint(value) => Value::from(*value),
            Self::Float(value) => Value::from(*value),
            Self::Text(text) => Value::String(text.clone().into_owned()),
            Self::Json(value) => value.clone(),
            Self::JsonRef(value) => Value::clone(value),
            other => {
                let mut text = Vec::new();
                other.write_value(&mut text);
                serde_json::from_slice(&text).unwrap_or_default()
            }
        }
    }

    /// Writes `[status, value]`.
    pub(crate) fn write_entry(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.status() {
            ResultStatus::Normal => b"[0,",
            ResultStatus::Unknown => b"[1,",
            ResultStatus::NoData => b"[2,",
            ResultStatus::Unavail => b"[3,",
            ResultStatus::Offline => b"[4,",
        });
        self.write_value(out);
        out.push(b']');
    }

    /// Writes the value alone; null when there is none.
    pub(crate) fn write_value(&self, out: &mut Vec<u8>) {
        match self {
            Self::Pending | Self::Without(_) | Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Int(value) => write_json(out, value),
            Self::Uint(value) => write_json(out, value),
            Self::Float(value) => write_json(out, value),
            Self::Text(text) => write_json(out, text.as_ref()),
            Self::Texts(texts) => write_json(out, texts),
            Self::Uints(numbers) => write_json(out, numbers),
            Self::Json(value) => write_json(out, value),
            Self::JsonRef(value) => write_json(out, value),
            Self::Params(params) => write_json(out, params),
            Self::TextMap(map) => write_json(out, map),
            Self::Tags(tags) => write_json(out, tags),
            Self::Layered(layered) => layered.write(out),
        }
    }
}

/// Appends the JSON of `value`.
pub(crate) fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("texts, numbers and maps with text keys are always JSON, and a Vec takes every byte");
}

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Cell<'_> {
    fn from(value: u64) -> Self {
        Self::Uint(value)
    }
}

impl From<u32> for Cell<'_> {
    fn from(value: u32) -> Self {
        Self::Uint(value.into())
    }
}

impl From<u16> for Cell<'_> {
    fn from(value: u16) -> Self {
        Self::Uint(value.into())
    }
}

impl From<usize> for Cell<'_> {
    fn from(value: usize) -> Self {
        Self::Uint(value as u64)
    }
}

impl From<f64> for Cell<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Cell<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl From<Value> for Cell<'_> {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        Self::JsonRef(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_text_and_the_tree_agree() {
        let tags: TagSet = ["b".parse().unwrap(), "a".parse().unwrap()].into();
        let cells = [
            Cell::Null,
            Cell::NO_DATA,
            Cell::Bool(true),
            Cell::Int(-1),
            Cell::Uint(u64::MAX),
            Cell::Float(1.5),
            Cell::from("a\"\u{3}ö"),
            Cell::Texts(vec![None, Some("x".into())]),
            Cell::Uints(vec![Some(1), None]),
            Cell::Json(json!({"a": [1]})),
            Cell::Tags(&tags),
        ];
        for cell in cells {
            let mut text = Vec::new();
            cell.write_entry(&mut text);
            let entry: ResultEntry = serde_json::from_slice(&text).unwrap();
            assert_eq!(Some(entry), cell.entry(), "{cell:?}");
            assert!(!text.contains(&3), "the terminator of LUXI is escaped");
        }
        assert!(Cell::Pending.entry().is_none());
    }
}
