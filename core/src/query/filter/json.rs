//! The filter of the wire: `[operator, arguments...]`, or `null` for none.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Value, json};

use super::{Comparison, Filter, FilterRegex, FilterValue, MAX_DEPTH, RegexError};

/// JSON that is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("Cannot deserialise filter: expected array [string, args], got {0}")]
    Shape(String),
    #[error("Unknown filter operand '{0}'")]
    UnknownOperator(String),
    #[error("Filter operand '{operator}' expects {expected}, got {found}")]
    Arguments { operator: String, expected: &'static str, found: String },
    #[error(transparent)]
    Regex(RegexError),
    #[error("Filter is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

impl TryFrom<&Value> for Filter {
    type Error = JsonError;

    fn try_from(value: &Value) -> Result<Self, JsonError> {
        read(value, MAX_DEPTH)
    }
}

impl From<&Filter> for Value {
    fn from(filter: &Filter) -> Self {
        write(filter)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::try_from(&value).map_err(D::Error::custom)
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self).serialize(serializer)
    }
}

fn read(value: &Value, depth: usize) -> Result<Filter, JsonError> {
    let depth = depth.checked_sub(1).ok_or(JsonError::TooDeep)?;
    match value {
        Value::Null => Ok(Filter::Empty),
        Value::Array(items) => match items.split_first() {
            Some((Value::String(operator), arguments)) => read_operator(operator, arguments, depth),
            _ => Err(JsonError::Shape(value.to_string())),
        },
        _ => Err(JsonError::Shape(value.to_string())),
    }
}

fn read_operator(operator: &str, arguments: &[Value], depth: usize) -> Result<Filter, JsonError> {
    let read_all = || arguments.iter().map(|a| read(a, depth)).collect::<Result<Vec<_>, _>>();
    let compare = |comparison| field_and_value(operator, arguments).map(|(f, v)| Filter::Compare(comparison, f, v));
    match operator {
        "&" => Ok(Filter::And(read_all()?)),
        "|" => Ok(Filter::Or(read_all()?)),
        "!" => match arguments {
            [filter] => Ok(read(filter, depth)?.negated()),
            _ => Err(wrong(operator, "[filter]", arguments)),
        },
        "?" => match arguments {
            [Value::String(field)] => Ok(Filter::True(field.clone())),
            _ => Err(wrong(operator, "[fieldname]", arguments)),
        },
        "==" | "=" => compare(Comparison::Equal),
        "!=" => compare(Comparison::Equal).map(Filter::negated),
        "<" => compare(Comparison::Less),
        ">" => compare(Comparison::Greater),
        "<=" => compare(Comparison::LessOrEqual),
        ">=" => compare(Comparison::GreaterOrEqual),
        "=~" => match arguments {
            [Value::String(field), Value::String(expression)] => {
                let regex = FilterRegex::new(expression.as_str()).map_err(JsonError::Regex)?;
                Ok(Filter::Regex(field.clone(), regex))
            }
            _ => Err(wrong(operator, "[fieldname, regular expression]", arguments)),
        },
        "=[]" => field_and_value(operator, arguments).map(|(f, v)| Filter::Contains(f, v)),
        _ => Err(JsonError::UnknownOperator(operator.to_owned())),
    }
}

fn field_and_value(operator: &str, arguments: &[Value]) -> Result<(String, FilterValue), JsonError> {
    if let [Value::String(field), value] = arguments
        && let Some(value) = read_value(value)
    {
        return Ok((field.clone(), value));
    }
    Err(wrong(operator, "[fieldname, string or integer]", arguments))
}

/// Ganeti takes `5.0` for the integer 5, and nothing else with a fraction.
fn read_value(value: &Value) -> Option<FilterValue> {
    /// Above it not every integer is a float any more.
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::String(text) => Some(FilterValue::Text(text.clone())),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Some(FilterValue::Number(integer)),
            #[expect(clippy::cast_possible_truncation, reason = "checked to be an integer in range")]
            (None, Some(float)) if float.fract() == 0.0 && float.abs() <= MAX_EXACT => Some(FilterValue::Number(float as i64)),
            _ => None,
        },
        _ => None,
    }
}

fn wrong(operator: &str, expected: &'static str, found: &[Value]) -> JsonError {
    JsonError::Arguments { operator: operator.to_owned(), expected, found: Value::from(found).to_string() }
}

fn write(filter: &Filter) -> Value {
    match filter {
        Filter::Empty => Value::Null,
        Filter::And(filters) => write_list("&", filters),
        Filter::Or(filters) => write_list("|", filters),
        Filter::Not(filter) => json!(["!", write(filter)]),
        Filter::True(field) => json!(["?", field]),
        Filter::Compare(comparison, field, value) => json!([comparison.as_str(), field, write_value(value)]),
        Filter::Regex(field, regex) => json!(["=~", field, regex.as_str()]),
        Filter::Contains(field, value) => json!(["=[]", field, write_value(value)]),
    }
}

fn write_list(operator: &str, filters: &[Filter]) -> Value {
    std::iter::once(Value::from(operator)).chain(filters.iter().map(write)).collect()
}

fn write_value(value: &FilterValue) -> Value {
    match value {
        FilterValue::Text(text) => Value::from(text.as_str()),
        FilterValue::Number(number) => Value::from(*number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(wire: Value) {
        let filter: Filter = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(serde_json::to_value(&filter).unwrap(), wire);
    }

    #[track_caller]
    fn refused(wire: Value, message: &str) {
        assert_eq!(Filter::try_from(&wire).unwrap_err().to_string(), message);
    }

    #[test]
    fn every_operator_goes_both_ways() {
        same(Value::Null);
        same(json!(["&", ["?", "a"], ["|", ["==", "b", 5], ["==", "b", "x"]], ["!", ["?", "c"]]]));
        same(json!(["|", ["<", "a", 1], [">", "a", 1], ["<=", "a", 1], [">=", "a", -1]]));
        same(json!(["&", ["=~", "name", "(?i)^a"], ["=[]", "tags", "x"], ["=[]", "list", 5]]));
        same(json!(["&"]));
        same(json!(["|"]));
        same(json!(["!", null]));
    }

    #[test]
    fn legacy_operators_are_normalised() {
        let read = |wire: Value| Value::from(&Filter::try_from(&wire).unwrap());
        assert_eq!(read(json!(["=", "a", "b"])), json!(["==", "a", "b"]));
        assert_eq!(read(json!(["!=", "a", "b"])), json!(["!", ["==", "a", "b"]]));
        assert_eq!(read(json!(["==", "a", 5.0])), json!(["==", "a", 5]));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        refused(json!(5), "Cannot deserialise filter: expected array [string, args], got 5");
        refused(json!([]), "Cannot deserialise filter: expected array [string, args], got []");
        refused(json!([["?"]]), "Cannot deserialise filter: expected array [string, args], got [[\"?\"]]");
        refused(json!(["=*", "a", "b"]), "Unknown filter operand '=*'");
        refused(json!(["?", 1]), "Filter operand '?' expects [fieldname], got [1]");
        refused(json!(["!"]), "Filter operand '!' expects [filter], got []");
        refused(json!(["==", "a"]), "Filter operand '==' expects [fieldname, string or integer], got [\"a\"]");
        refused(json!(["==", "a", 1.5]), "Filter operand '==' expects [fieldname, string or integer], got [\"a\",1.5]");
        refused(json!(["==", "a", true]), "Filter operand '==' expects [fieldname, string or integer], got [\"a\",true]");
        refused(
            json!(["==", "a", u64::MAX]),
            "Filter operand '==' expects [fieldname, string or integer], got [\"a\",18446744073709551615]",
        );
        refused(json!(["=~", "a", "("]), "Invalid regular expression '(': unclosed group");
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |levels: usize| (1..levels).fold(json!(["?", "a"]), |inner, _| json!(["!", inner]));
        assert!(Filter::try_from(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(Filter::try_from(&nested(MAX_DEPTH + 1)), Err(JsonError::TooDeep));
    }
}
