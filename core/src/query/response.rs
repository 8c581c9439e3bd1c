//! The answers to `Query` and `QueryFields`, in Ganeti's shape.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

/// How the values of a field are to be read and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// There is no such field.
    Unknown,
    Text,
    Bool,
    /// An integer.
    Number,
    Float,
    /// An integer number of MiB.
    Unit,
    /// Seconds since the epoch, possibly with a fraction.
    Timestamp,
    /// Any JSON value.
    Other,
}

impl FieldKind {
    /// The word used on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Text => "text",
            Self::Bool => "bool",
            Self::Number => "number",
            Self::Float => "float",
            Self::Unit => "unit",
            Self::Timestamp => "timestamp",
            Self::Other => "other",
        }
    }

    /// What `gnt-* list-fields` prints in its column "Type".
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Text => "Text",
            Self::Bool => "Boolean",
            Self::Number => "Number",
            Self::Float => "Floating-point number",
            Self::Unit => "Storage size",
            Self::Timestamp => "Timestamp",
            Self::Other => "Custom",
        }
    }

    /// Whether columns of this kind are aligned on the right.
    #[must_use]
    pub fn is_right_aligned(self) -> bool {
        matches!(self, Self::Number | Self::Float | Self::Unit)
    }
}

/// One field as `QueryFields` describes it, and as it heads the columns of a `Query`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDef {
    pub name: String,
    pub title: String,
    pub kind: FieldKind,
    pub doc: String,
}

impl FieldDef {
    /// The definition Ganeti answers for a field it does not have: not an error, a column of "unknown".
    #[must_use]
    pub fn unknown(name: &str) -> Self {
        Self { name: name.to_owned(), title: name.to_owned(), kind: FieldKind::Unknown, doc: format!("Unknown field '{name}'") }
    }
}

/// Whether a cell has a value, and if not, why. On the wire a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ResultStatus {
    Normal = 0,
    /// There is no such field.
    Unknown = 1,
    /// The value exists but could not be got.
    NoData = 2,
    /// The field makes no sense for this item.
    Unavail = 3,
    /// The node that knows is marked offline.
    Offline = 4,
}

impl ResultStatus {
    /// Every status, in the order of its number.
    pub const ALL: [Self; 5] = [Self::Normal, Self::Unknown, Self::NoData, Self::Unavail, Self::Offline];

    /// The number used on the wire.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What a table shows instead of a value; `None` for a normal cell.
    #[must_use]
    pub fn placeholder(self, verbose: bool) -> Option<&'static str> {
        let (long, short) = match self {
            Self::Normal => return None,
            Self::Unknown => ("(unknown)", "??"),
            Self::NoData => ("(nodata)", "?"),
            Self::Unavail => ("(unavail)", "-"),
            Self::Offline => ("(offline)", "*"),
        };
        Some(if verbose { long } else { short })
    }
}

impl Serialize for ResultStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

impl<'de> Deserialize<'de> for ResultStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = u64::deserialize(deserializer)?;
        Self::ALL
            .into_iter()
            .find(|s| u64::from(s.code()) == code)
            .ok_or_else(|| D::Error::custom(format!("unknown result status {code}, expected 0 to 4")))
    }
}

/// One cell: `[status, value]` on the wire. The value is null unless the status is normal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "(ResultStatus, Value)", into = "(ResultStatus, Value)")]
pub struct ResultEntry {
    pub status: ResultStatus,
    pub value: Value,
}

impl ResultEntry {
    /// The cell of a field that does not exist.
    pub const UNKNOWN: Self = Self::without_value(ResultStatus::Unknown);
    /// The cell of a value that could not be got.
    pub const NO_DATA: Self = Self::without_value(ResultStatus::NoData);
    /// The cell of a field that makes no sense for this item.
    pub const UNAVAIL: Self = Self::without_value(ResultStatus::Unavail);
    /// The cell of a value only an offline node knows.
    pub const OFFLINE: Self = Self::without_value(ResultStatus::Offline);

    const fn without_value(status: ResultStatus) -> Self {
        Self { status, value: Value::Null }
    }

    /// A cell with a value.
    #[must_use]
    pub fn normal(value: impl Into<Value>) -> Self {
        Self { status: ResultStatus::Normal, value: value.into() }
    }

    /// A cell with a value, or "no data" where there is none.
    #[must_use]
    pub fn or_no_data(value: Option<impl Into<Value>>) -> Self {
        value.map_or(Self::NO_DATA, Self::normal)
    }

    /// A cell with a value, or "unavailable" where the item has none.
    #[must_use]
    pub fn or_unavail(value: Option<impl Into<Value>>) -> Self {
        value.map_or(Self::UNAVAIL, Self::normal)
    }
}

impl From<(ResultStatus, Value)> for ResultEntry {
    fn from((status, value): (ResultStatus, Value)) -> Self {
        Self { status, value }
    }
}

impl From<ResultEntry> for (ResultStatus, Value) {
    fn from(entry: ResultEntry) -> Self {
        (entry.status, entry.value)
    }
}

/// The answer to `Query`: columns and rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueryResponse {
    pub fields: Vec<FieldDef>,
    pub data: Vec<Vec<ResultEntry>>,
}

impl QueryResponse {
    /// The names of asked fields that do not exist, in order.
    pub fn unknown_fields(&self) -> impl Iterator<Item = &str> {
        unknown(&self.fields)
    }
}

/// The answer to `QueryFields`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryFieldsResponse {
    pub fields: Vec<FieldDef>,
}

impl QueryFieldsResponse {
    /// The names of asked fields that do not exist, in order.
    pub fn unknown_fields(&self) -> impl Iterator<Item = &str> {
        unknown(&self.fields)
    }
}

fn unknown(fields: &[FieldDef]) -> impl Iterator<Item = &str> {
    fields.iter().filter(|f| f.kind == FieldKind::Unknown).map(|f| f.name.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_response_has_the_wire_shape() {
        let response = QueryResponse {
            fields: vec![
                FieldDef { name: "name".into(), title: "Node".into(), kind: FieldKind::Text, doc: "d".into() },
                FieldDef::unknown("x"),
            ],
            data: vec![vec![ResultEntry::normal("node1"), ResultEntry::UNKNOWN]],
        };
        let wire = json!({
            "fields": [
                {"name": "name", "title": "Node", "kind": "text", "doc": "d"},
                {"name": "x", "title": "x", "kind": "unknown", "doc": "Unknown field 'x'"},
            ],
            "data": [[[0, "node1"], [1, null]]],
        });
        assert_eq!(serde_json::to_value(&response).unwrap(), wire);
        assert_eq!(serde_json::from_value::<QueryResponse>(wire).unwrap(), response);
        assert_eq!(response.unknown_fields().collect::<Vec<_>>(), ["x"]);
    }

    #[test]
    fn a_status_out_of_range_is_refused() {
        assert!(serde_json::from_value::<ResultStatus>(json!(5)).is_err());
        assert!(serde_json::from_value::<ResultEntry>(json!([0])).is_err());
    }
}
