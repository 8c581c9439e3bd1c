//! Filters: which rows of a query are wanted.
//!
//! A filter has two spellings, the JSON list of the wire (by serde) and the text of `--filter` ([`Filter::parse`]). Both end in the same
//! tree: Ganeti's legacy spellings (`=`, `!=`) are normalised while reading, so `!=` is `Not(Compare(Equal, ..))`.

mod args;
mod glob;
mod json;
mod pattern;
mod print;
mod text;

use std::{fmt, str::FromStr};

pub use args::{ArgumentError, looks_like_filter, looks_like_glob, make_filter, make_simple_filter};
pub use glob::dns_name_glob;
pub use json::JsonError;
pub use pattern::{FilterRegex, RegexError};
pub use print::NotPrintable;
pub use text::ParseError;

/// How deep a filter may be nested, in JSON and in text: far more than anybody writes, and little enough for any stack.
pub const MAX_DEPTH: usize = 100;

/// A condition on the fields of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Filter {
    /// No condition: every row. On the wire `null`.
    #[default]
    Empty,
    /// All of them, asked in order and only as far as needed. An empty list is true.
    And(Vec<Filter>),
    /// One of them, asked in order and only as far as needed. An empty list is false.
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// The boolean field is true.
    True(String),
    Compare(Comparison, String, FilterValue),
    /// The text of the field matches somewhere.
    Regex(String, FilterRegex),
    /// The list in the field has this element.
    Contains(String, FilterValue),
}

/// A comparison of a field with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    Equal,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

impl Comparison {
    /// The operator, the same word in JSON and in text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Less => "<",
            Self::Greater => ">",
            Self::LessOrEqual => "<=",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether two values in this order satisfy it.
    #[must_use]
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::Greater => order.is_gt(),
            Self::LessOrEqual => order.is_le(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FilterValue {
    Text(String),
    Number(i64),
}

impl fmt::Display for FilterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl From<&str> for FilterValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FilterValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for FilterValue {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl Filter {
    /// Reads the text of `--filter`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        text::parse(text)
    }

    /// `field == value`.
    pub fn equal(field: impl Into<String>, value: impl Into<FilterValue>) -> Self {
        Self::Compare(Comparison::Equal, field.into(), value.into())
    }

    /// `value in field`.
    pub fn contains(field: impl Into<String>, value: impl Into<FilterValue>) -> Self {
        Self::Contains(field.into(), value.into())
    }

    /// The opposite of this filter. (Not `std::ops::Not`: a reader should see that a box is made.)
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Both filters; an empty one on either side adds nothing (Ganeti: `gnt-job list` joins names and statuses so).
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Empty, filter) | (filter, Self::Empty) => filter,
            (left, right) => Self::And(vec![left, right]),
        }
    }

    /// Whether this is no condition at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The fields it asks for, in order of appearance, each once.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        self.collect_fields(&mut fields);
        fields
    }

    fn collect_fields<'a>(&'a self, fields: &mut Vec<&'a str>) {
        match self {
            Self::Empty => {}
            Self::And(filters) | Self::Or(filters) => filters.iter().for_each(|f| f.collect_fields(fields)),
            Self::Not(filter) => filter.collect_fields(fields),
            Self::True(field) | Self::Compare(_, field, _) | Self::Regex(field, _) | Self::Contains(field, _) => {
                if !fields.contains(&field.as_str()) {
                    fields.push(field);
                }
            }
        }
    }

    /// The names it asks for, if it does nothing but name things: `Some(vec![])` means all of them, `None` means that every row has to
    /// be looked at. Ganeti answers a query that names things in the order of the names, and refuses it if one does not exist.
    #[must_use]
    pub fn requested_names(&self, name_field: &str) -> Option<Vec<&FilterValue>> {
        match self {
            Self::Empty => Some(Vec::new()),
            Self::Or(filters) => {
                let names: Option<Vec<_>> = filters.iter().map(|f| f.requested_names(name_field)).collect();
                names.map(|lists| lists.into_iter().flatten().collect())
            }
            Self::Compare(Comparison::Equal, field, value) if field == name_field => Some(vec![value]),
            _ => None,
        }
    }

    /// The text of `--filter` that reads back as this filter.
    ///
    /// # Errors
    /// Not every filter of the wire can be written: see [`NotPrintable`].
    pub fn to_text(&self) -> Result<String, NotPrintable> {
        print::print(self)
    }
}

impl FromStr for Filter {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_once() {
        let filter = Filter::parse("a == 1 and (b or not a) and 'x' in c").unwrap();
        assert_eq!(filter.fields(), ["a", "b", "c"]);
    }

    #[test]
    fn requested_names_only_of_plain_names() {
        let names = |text: &str| Filter::parse(text).unwrap().requested_names("name").map(|v| v.into_iter().cloned().collect::<Vec<_>>());
        assert_eq!(names("name == 'a' or name == 'b'"), Some(vec!["a".into(), "b".into()]));
        assert_eq!(names("name == 'a' or pnode == 'b'"), None);
        assert_eq!(names("name == 'a' and name == 'b'"), None);
        assert_eq!(names("not name == 'a'"), None);
        assert_eq!(Filter::Empty.requested_names("name"), Some(vec![]));
    }

    #[test]
    fn and_drops_the_empty_side() {
        let a = Filter::True("a".into());
        assert_eq!(Filter::Empty.and(a.clone()), a);
        assert_eq!(a.clone().and(Filter::Empty), a);
        assert_eq!(a.clone().and(a.clone()), Filter::And(vec![a.clone(), a]));
    }
}
