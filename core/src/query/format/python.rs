//! JSON values as Python's `str` and `repr` write them: what scripts that read Ganeti's tables know.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// `str(value)`: a text as it is, everything else as its [`python_repr`].
#[must_use]
pub fn python_str(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => python_repr(other),
    }
}

/// `repr(value)`: `None`, `True`, `'text'`, `[1, 'a']`, `{'key': 1.5}`.
#[must_use]
pub fn python_repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => repr_number(number),
        Value::String(text) => repr_text(text),
        Value::Array(items) => format!("[{}]", items.iter().map(python_repr).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members: Vec<_> = members.iter().map(|(key, value)| format!("{}: {}", repr_text(key), python_repr(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

fn repr_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str(r"\\"),
            '\n' => out.push_str(r"\n"),
            '\r' => out.push_str(r"\r"),
            '\t' => out.push_str(r"\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// Integers as they are; floats with the fewest digits that give them back, with an exponent outside of 1e-4 to 1e16.
fn repr_number(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return number.to_string();
    };
    let scientific = format!("{float:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => format!("{float:?}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        assert_eq!(python_repr(&serde_json::from_str(json).unwrap()), expected);
    }

    /// Checked with a Python interpreter.
    #[test]
    fn as_python_writes_them() {
        check("null", "None");
        check("[true, false, 5, -7]", "[True, False, 5, -7]");
        check(r#"{"b": [], "a": {"x": null}}"#, "{'a': {'x': None}, 'b': []}");
        check(r#"["it's", "a\"b", "it's \"b\"", "a\\b\n\u0001é"]"#, r#"["it's", 'a"b', 'it\'s "b"', 'a\\b\n\x01é']"#);
        check("[1.0, 1.5, 0.1, -2.25, 100000.0]", "[1.0, 1.5, 0.1, -2.25, 100000.0]");
        check("[1e15, 1e16, 1.5e300, 0.0001, 0.00001, 1.5e-7]", "[1000000000000000.0, 1e+16, 1.5e+300, 0.0001, 1e-05, 1.5e-07]");
        check("18446744073709551615", "18446744073709551615");
        assert_eq!(python_str(&json!("it's")), "it's");
        assert_eq!(python_str(&json!(["a"])), "['a']");
    }
}
