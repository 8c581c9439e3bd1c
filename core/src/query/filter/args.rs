//! From the arguments of a list command to a filter.

use super::{Filter, FilterRegex, ParseError, RegexError, dns_name_glob};

/// Arguments that make no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    #[error("Exactly one argument must be given as a filter")]
    NotOneFilter,
    #[error("Invalid job ID passed: invalid literal for int() with base 10: '{0}'")]
    JobId(String),
    #[error(transparent)]
    Filter(ParseError),
    /// A glob so long that its expression is too large.
    #[error(transparent)]
    Glob(RegexError),
}

/// Whether an argument has a character that no name has (Ganeti: `QLANG_FILTER_DETECTION_CHARS`).
#[must_use]
pub fn looks_like_filter(argument: &str) -> bool {
    argument.contains(['(', ')', '=', '/', '!', '~', '\'', '"', '\\', '<', '>', ' ', '\t', '\n', '\r', '\x0b', '\x0c'])
}

/// Whether an argument is a pattern for names.
#[must_use]
pub fn looks_like_glob(argument: &str) -> bool {
    argument.contains(['*', '?'])
}

/// One of these values, compared as texts; no values, no condition.
#[must_use]
pub fn make_simple_filter<S: AsRef<str>>(field: &str, values: &[S]) -> Filter {
    if values.is_empty() {
        return Filter::Empty;
    }
    Filter::Or(values.iter().map(|v| Filter::equal(field, v.as_ref())).collect())
}

/// The filter a list command means by its arguments.
///
/// Ganeti: with `--filter`, or if there is one argument and it [looks like a filter](looks_like_filter), it is one; otherwise each
/// argument is a name or a glob, and rows that fit one of them are wanted. No arguments, no condition. With `numeric` names are
/// integers (job ids).
///
/// # Errors
/// The filter has a mistake, `--filter` came with other than one argument, or a job id is no integer.
pub fn make_filter<S: AsRef<str>>(arguments: &[S], force_filter: bool, name_field: &str, numeric: bool) -> Result<Filter, ArgumentError> {
    match arguments {
        [text] if force_filter || looks_like_filter(text.as_ref()) => Filter::parse(text.as_ref()).map_err(ArgumentError::Filter),
        _ if force_filter => Err(ArgumentError::NotOneFilter),
        [] => Ok(Filter::Empty),
        names => {
            let conditions = names.iter().map(|n| name_condition(n.as_ref(), name_field, numeric));
            Ok(Filter::Or(conditions.collect::<Result<_, _>>()?))
        }
    }
}

fn name_condition(name: &str, field: &str, numeric: bool) -> Result<Filter, ArgumentError> {
    if numeric {
        let id: i64 = name.trim().parse().map_err(|_| ArgumentError::JobId(name.to_owned()))?;
        return Ok(Filter::equal(field, id));
    }
    if looks_like_glob(name) {
        let regex = FilterRegex::new(dns_name_glob(name)).map_err(ArgumentError::Glob)?;
        return Ok(Filter::Regex(field.to_owned(), regex));
    }
    Ok(Filter::equal(field, name))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(arguments: &[&str], force: bool, expected: Value) {
        assert_eq!(Value::from(&make_filter(arguments, force, "name", false).unwrap()), expected, "{arguments:?}");
    }

    #[test]
    fn names_globs_and_filters_are_told_apart() {
        check(&[], false, Value::Null);
        check(&["web1"], false, json!(["|", ["==", "name", "web1"]]));
        check(&["a", "b"], false, json!(["|", ["==", "name", "a"], ["==", "name", "b"]]));
        check(&["*.site", "b"], false, json!(["|", ["=~", "name", r"^[^.]*\.site(\..*)?$"], ["==", "name", "b"]]));
        check(&["name == 'x'"], false, json!(["==", "name", "x"]));
        check(&["not drained"], false, json!(["!", ["?", "drained"]]));
        // A bare field is a plain name unless --filter says otherwise.
        check(&["drained"], false, json!(["|", ["==", "name", "drained"]]));
        check(&["drained"], true, json!(["?", "drained"]));
        // Two arguments are names, whatever they look like.
        check(&["a == 1", "b"], false, json!(["|", ["==", "name", "a == 1"], ["==", "name", "b"]]));
    }

    #[test]
    fn force_wants_one_argument() {
        assert_eq!(make_filter::<&str>(&[], true, "name", false), Err(ArgumentError::NotOneFilter));
        assert_eq!(make_filter(&["a", "b"], true, "name", false), Err(ArgumentError::NotOneFilter));
    }

    #[test]
    fn job_ids_are_numbers() {
        let filter = make_filter(&["12", "13"], false, "id", true).unwrap();
        assert_eq!(Value::from(&filter), json!(["|", ["==", "id", 12], ["==", "id", 13]]));
        let error = make_filter(&["x"], false, "id", true).unwrap_err();
        assert_eq!(error.to_string(), "Invalid job ID passed: invalid literal for int() with base 10: 'x'");
    }

    #[test]
    fn every_detection_character_of_the_contract() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../qa/parity/query_fields.json")).unwrap();
        let contract: Value = serde_json::from_str(&text).unwrap();
        let chars = |key: &str| -> Vec<String> { serde_json::from_value(contract["filter_language"]["detection"][key].clone()).unwrap() };
        let (filter, glob) = (chars("filter_chars"), chars("glob_chars"));
        for c in (0u8..128).map(|b| char::from(b).to_string()) {
            assert_eq!(looks_like_filter(&c), filter.contains(&c), "{c:?}");
            assert_eq!(looks_like_glob(&c), glob.contains(&c), "{c:?}");
        }
    }

    #[test]
    fn simple_filters() {
        assert_eq!(make_simple_filter::<&str>("status", &[]), Filter::Empty);
        assert_eq!(Value::from(&make_simple_filter("status", &["a"])), json!(["|", ["==", "status", "a"]]));
    }
}
