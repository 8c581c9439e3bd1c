//! The values of options: Ganeti's syntaxes (`qa/parity/cli.json`: option_types).

mod bounds;
mod duration;
mod keyval;
mod list;

use serde_json::{Value, json};

use crate::spec::Kind;

pub use bounds::parse_bounds;
pub use duration::parse_duration;
pub use keyval::{Ident, IdentValue, parse_ident_keyval, parse_keyval};
pub use list::{join_escaped, split_escaped};

/// A JSON object.
pub type Dict = serde_json::Map<String, Value>;

/// The parsed value of an option.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    Text(String),
    Int(i64),
    Float(f64),
    Mib(u64),
    YesNo(bool),
    Dict(Dict),
    Ident(Ident),
    Bounds(Vec<Dict>),
    List(Vec<String>),
    Json(Value),
}

/// Parses the value of an option of this kind; the error says what is wrong with it.
///
/// # Errors
/// A sentence without the option's name.
pub fn parse_value(kind: Kind, text: &str) -> Result<Parsed, String> {
    match kind {
        Kind::Flag | Kind::Obsolete | Kind::Text => Ok(Parsed::Text(text.to_owned())),
        Kind::Int => text.trim().parse().map(Parsed::Int).map_err(|_| format!("invalid integer value: '{text}'")),
        Kind::Float => parse_float(text).map(Parsed::Float),
        Kind::Unit => parse_unit(text).map(Parsed::Mib),
        Kind::YesNo => parse_yes_no(text).map(Parsed::YesNo),
        Kind::KeyVal => parse_keyval(text).map(Parsed::Dict),
        Kind::IdentKeyVal => parse_ident_keyval(text).map(Parsed::Ident),
        Kind::Bounds => parse_bounds(text).map(Parsed::Bounds),
        Kind::List => Ok(Parsed::List(if text.is_empty() { Vec::new() } else { split_escaped(text, ',') })),
        Kind::MaybeFloat if text == "default" => Ok(Parsed::Json(json!("default"))),
        Kind::MaybeFloat => parse_float(text).map(|number| Parsed::Json(json!(number))),
        Kind::Json => serde_json::from_str(text).map(Parsed::Json).map_err(|error| format!("invalid JSON value: {error}")),
        Kind::FilterAction => parse_filter_action(text).map(Parsed::Json),
        Kind::Choice(choices) if choices.contains(&text) => Ok(Parsed::Text(text.to_owned())),
        Kind::Choice(choices) => Err(format!("invalid choice: '{text}' (choose from {})", choices.join(", "))),
    }
}

/// A size in MiB: a number with or without unit, rounded up to a multiple of 4.
///
/// # Errors
/// It is no size.
pub fn parse_unit(text: &str) -> Result<u64, String> {
    gannet_core::param::parse_unit(text).map_err(|error| error.to_string())
}

/// `yes`, `true`, `no`, `false`, in any case of letters.
///
/// # Errors
/// Another word.
pub fn parse_yes_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(format!("invalid boolean value: '{text}' (yes or no)")),
    }
}

fn parse_float(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("invalid floating-point value: '{text}'")),
    }
}

fn parse_filter_action(text: &str) -> Result<Value, String> {
    match text.split_once(' ') {
        Some(("RATE_LIMIT", count)) => match count.trim().parse::<u64>() {
            Ok(count) if count > 0 => Ok(json!(["RATE_LIMIT", count])),
            _ => Err(format!("invalid rate limit: '{count}' (a number of jobs, 1 or more)")),
        },
        _ => Ok(json!(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, text: &str, expected: Option<Parsed>) {
        assert_eq!(parse_value(kind, text).ok(), expected, "{kind:?} {text:?}");
    }

    #[test]
    fn plain_values() {
        check(Kind::Int, "-3", Some(Parsed::Int(-3)));
        check(Kind::Int, "3.5", None);
        check(Kind::Float, "2.5", Some(Parsed::Float(2.5)));
        check(Kind::Float, "nan", None);
        check(Kind::Unit, "1g", Some(Parsed::Mib(1024)));
        check(Kind::Unit, "513", Some(Parsed::Mib(516)));
        check(Kind::Unit, "1q", None);
        check(Kind::YesNo, "YES", Some(Parsed::YesNo(true)));
        check(Kind::YesNo, "false", Some(Parsed::YesNo(false)));
        check(Kind::YesNo, "1", None);
        check(Kind::List, "a,b\\,c", Some(Parsed::List(vec!["a".into(), "b,c".into()])));
        check(Kind::List, "", Some(Parsed::List(vec![])));
        check(Kind::MaybeFloat, "default", Some(Parsed::Json(json!("default"))));
        check(Kind::MaybeFloat, "4", Some(Parsed::Json(json!(4.0))));
        check(Kind::Choice(&["a", "b"]), "c", None);
        check(Kind::FilterAction, "RATE_LIMIT 3", Some(Parsed::Json(json!(["RATE_LIMIT", 3]))));
        check(Kind::FilterAction, "RATE_LIMIT 0", None);
        check(Kind::FilterAction, "PAUSE", Some(Parsed::Json(json!("PAUSE"))));
    }
}
