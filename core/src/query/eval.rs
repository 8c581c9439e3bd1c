//! Whether a row passes a filter.

use std::{cmp::Ordering, collections::HashMap};

use serde_json::{Number, Value};

use super::{
    Comparison, Filter, FilterRegex, FilterValue, Resource, ResultEntry, ResultStatus,
    field::{self, Matching},
};

/// Something with fields: an instance, a node, a job.
pub trait Row {
    /// The value of a field, or `None` if it is a live one and the nodes have not been asked yet.
    ///
    /// Only asked for fields that the resource has, under the name the filter uses (older names are not translated).
    fn field(&self, name: &str) -> Option<ResultEntry>;
}

/// A filter that cannot be applied. All of them are the asker's fault (Ganeti: `ParameterError`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("Can't find field named '{0}'")]
    UnknownField(String),
    #[error("Unexpected value '{value}' of field '{field}' in boolean context")]
    NotBoolean { field: String, value: String },
    #[error("Invalid types in comparison, trying to compare {value} (field '{field}') with {wanted}")]
    Types { field: String, value: String, wanted: String },
    #[error("Invalid value of field '{field}' used in regexp matching, expecting string but got '{value}'")]
    NotText { field: String, value: String },
    #[error("Field '{field}' is no list of {elements}, it is {value}")]
    NotList { field: String, elements: &'static str, value: String },
}

/// A filter whose fields exist.
///
/// Ganeti filters twice: first without asking any node, then, for the rows that are left, with what the nodes said. In the first round
/// a row whose [`Row::field`] has no answer yet passes, unless the conditions asked before that one already decide.
#[derive(Debug, Clone)]
pub struct Matcher<'a> {
    filter: &'a Filter,
    matching: HashMap<&'a str, Matching>,
    live: bool,
}

impl<'a> Matcher<'a> {
    /// Looks up the fields of a filter.
    ///
    /// # Errors
    /// [`Error::UnknownField`]; unlike in `-o`, an unknown field in a filter is an error.
    pub fn new(resource: Resource, filter: &'a Filter) -> Result<Self, Error> {
        let mut matching = HashMap::new();
        let mut live = false;
        for name in filter.fields() {
            let field = field::find(resource, name).ok_or_else(|| Error::UnknownField(name.to_owned()))?;
            live |= field.source == field::Source::Live;
            matching.insert(name, field.matching);
        }
        Ok(Self { filter, matching, live })
    }

    /// Whether nodes have to be asked before the filter can decide about every row.
    #[must_use]
    pub fn needs_live_data(&self) -> bool {
        self.live
    }

    /// Whether the row is wanted.
    ///
    /// A field that has no value for this row (no data, not available, offline) satisfies its condition, whatever it is.
    ///
    /// # Errors
    /// A field has a value of a type that the condition cannot look at.
    pub fn matches(&self, row: &impl Row) -> Result<bool, Error> {
        let answer = evaluate(self.filter, &mut |condition| {
            let name = condition.field();
            let Some(entry) = row.field(name) else { return Ok(None) };
            if entry.status != ResultStatus::Normal {
                return Ok(Some(true));
            }
            let matching = self.matching.get(name).copied().unwrap_or(Matching::Plain);
            condition.holds(&entry.value, matching).map(Some)
        })?;
        Ok(answer.unwrap_or(true))
    }
}

/// One condition of a filter, on one field.
#[derive(Debug, Clone, Copy)]
pub enum Condition<'a> {
    True(&'a str),
    Compare(Comparison, &'a str, &'a FilterValue),
    Regex(&'a str, &'a FilterRegex),
    Contains(&'a str, &'a FilterValue),
}

/// Walks through a filter and asks for its conditions, in order and no more than needed. The first one that cannot be answered (`None`)
/// ends the walk: then there is no answer.
///
/// For rows use [`Matcher`]; this is for other things that are filtered (Ganeti: the predicates of job filter rules).
pub fn evaluate<E>(filter: &Filter, ask: &mut impl FnMut(Condition<'_>) -> Result<Option<bool>, E>) -> Result<Option<bool>, E> {
    match filter {
        Filter::Empty => Ok(Some(true)),
        Filter::And(filters) => evaluate_until(filters, false, ask),
        Filter::Or(filters) => evaluate_until(filters, true, ask),
        Filter::Not(inner) => Ok(evaluate(inner, ask)?.map(|answer| !answer)),
        Filter::True(name) => ask(Condition::True(name)),
        Filter::Compare(comparison, name, value) => ask(Condition::Compare(*comparison, name, value)),
        Filter::Regex(name, regex) => ask(Condition::Regex(name, regex)),
        Filter::Contains(name, value) => ask(Condition::Contains(name, value)),
    }
}

/// Evaluates filters until one gives the decisive answer.
fn evaluate_until<E>(
    filters: &[Filter],
    decisive: bool,
    ask: &mut impl FnMut(Condition<'_>) -> Result<Option<bool>, E>,
) -> Result<Option<bool>, E> {
    for filter in filters {
        match evaluate(filter, ask)? {
            Some(answer) if answer != decisive => {}
            end => return Ok(end),
        }
    }
    Ok(Some(!decisive))
}

impl<'a> Condition<'a> {
    /// The field it looks at.
    #[must_use]
    pub fn field(&self) -> &'a str {
        match self {
            Self::True(field) | Self::Compare(_, field, _) | Self::Regex(field, _) | Self::Contains(field, _) => field,
        }
    }

    /// Whether a value of the field satisfies it.
    ///
    /// # Errors
    /// The value has a type that the condition cannot look at.
    pub fn holds(&self, value: &Value, matching: Matching) -> Result<bool, Error> {
        let value = match (matching, value) {
            (Matching::TimePair, Value::Array(pair)) => pair.first().unwrap_or(value),
            _ => value,
        };
        match *self {
            Self::True(field) => value.as_bool().ok_or_else(|| Error::NotBoolean { field: field.to_owned(), value: value.to_string() }),
            Self::Compare(comparison, field, wanted) => compare(comparison, value, wanted, matching).ok_or_else(|| Error::Types {
                field: field.to_owned(),
                value: value.to_string(),
                wanted: wanted.to_string(),
            }),
            Self::Regex(field, regex) => match value {
                Value::String(text) => Ok(regex.is_match(text)),
                _ => Err(Error::NotText { field: field.to_owned(), value: value.to_string() }),
            },
            Self::Contains(field, wanted) => contains(value, wanted).ok_or_else(|| Error::NotList {
                field: field.to_owned(),
                elements: if matches!(wanted, FilterValue::Text(_)) { "strings" } else { "integers" },
                value: value.to_string(),
            }),
        }
    }
}

/// Texts with texts and numbers with numbers, or `None`.
fn compare(comparison: Comparison, value: &Value, wanted: &FilterValue, matching: Matching) -> Option<bool> {
    match (value, wanted) {
        (Value::String(name), FilterValue::Text(wanted)) if matching == Matching::Hostname && comparison == Comparison::Equal => {
            Some(is_name_or_beginning(name, wanted))
        }
        (Value::String(text), FilterValue::Text(wanted)) => Some(comparison.holds(text.cmp(wanted))),
        (Value::Number(number), FilterValue::Number(wanted)) => {
            Some(compare_numbers(number, *wanted).is_some_and(|order| comparison.holds(order)))
        }
        _ => None,
    }
}

/// Ganeti: `node1` stands for `node1.example.com`, `node1.ex` does not.
fn is_name_or_beginning(name: &str, wanted: &str) -> bool {
    name.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn compare_numbers(number: &Number, wanted: i64) -> Option<Ordering> {
    if let Some(integer) = number.as_i64() {
        return Some(integer.cmp(&wanted));
    }
    if number.is_u64() {
        // Not an i64, so above all of them.
        return Some(Ordering::Greater);
    }
    #[expect(clippy::cast_precision_loss, reason = "the other side is a float, more precision is not to be had")]
    number.as_f64()?.partial_cmp(&(wanted as f64))
}

/// Whether a list has an element, or `None` if it is no list of such elements. Missing elements (a NIC without an IP) are passed over;
/// Ganeti refuses such a list, which helps nobody.
fn contains(value: &Value, wanted: &FilterValue) -> Option<bool> {
    let mut found = false;
    for element in value.as_array()?.iter().filter(|e| !e.is_null()) {
        found |= match (element, wanted) {
            (Value::String(text), FilterValue::Text(wanted)) => text == wanted,
            (Value::Number(number), FilterValue::Number(wanted)) => number.as_i64() == Some(*wanted),
            _ => return None,
        };
    }
    Some(found)
}

#[cfg(test)]
mod tests;
