//! `key=value,no_key,-key` and `ident:key=value`.

use serde_json::Value;

use super::{Dict, split_escaped};

/// `ident[:key=value,…]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Ident {
    /// Which one: a number, a name, a word.
    pub name: String,
    /// What of it.
    pub value: IdentValue,
}

/// What follows an identifier.
#[derive(Debug, Clone, PartialEq)]
pub enum IdentValue {
    /// Parameters, perhaps none.
    Params(Dict),
    /// `no_ident`: switched off.
    Off,
    /// `-ident`: back to what is inherited.
    Inherit,
}

/// Parses `key=value,key2,no_key3,-key4`: a bare key is true, `no_` makes it false, `-` null.
///
/// # Errors
/// A key comes twice.
pub fn parse_keyval(text: &str) -> Result<Dict, String> {
    let mut dict = Dict::new();
    if text.is_empty() {
        return Ok(dict);
    }
    for element in split_escaped(text, ',') {
        let (key, value) = match element.split_once('=') {
            Some((key, value)) => (key, Value::from(value)),
            None => bare(&element),
        };
        if dict.insert(key.to_owned(), value).is_some() {
            return Err(format!("duplicate key '{key}'"));
        }
    }
    Ok(dict)
}

fn bare(element: &str) -> (&str, Value) {
    if let Some(key) = element.strip_prefix("no_") {
        return (key, Value::Bool(false));
    }
    match element.strip_prefix('-') {
        Some(key) => (key, Value::Null),
        None => (element, Value::Bool(true)),
    }
}

/// Parses `ident`, `ident:key=value,…`, `no_ident`, `-ident`. A negative number is an identifier.
///
/// # Errors
/// Parameters follow a `no_` or `-`, or a key comes twice.
pub fn parse_ident_keyval(text: &str) -> Result<Ident, String> {
    let (ident, rest) = match text.split_once(':') {
        Some((ident, rest)) => (ident, Some(rest)),
        None => (text, None),
    };
    let no_rest = |what: &str| match rest {
        Some(rest) if !rest.is_empty() => Err(format!("cannot pass options when {what} parameter groups: '{text}'")),
        _ => Ok(()),
    };
    if let Some(name) = ident.strip_prefix("no_") {
        no_rest("removing")?;
        return Ok(Ident { name: name.to_owned(), value: IdentValue::Off });
    }
    if let Some(name) = ident.strip_prefix('-').filter(|name| !name.starts_with(|c: char| c.is_ascii_digit())) {
        no_rest("resetting")?;
        return Ok(Ident { name: name.to_owned(), value: IdentValue::Inherit });
    }
    Ok(Ident { name: ident.to_owned(), value: IdentValue::Params(parse_keyval(rest.unwrap_or_default())?) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Value) {
        assert_eq!(Value::Object(parse_keyval(text).unwrap()), expected, "{text}");
    }

    #[test]
    fn key_values() {
        check("", json!({}));
        check("a=1,b,no_c,-d", json!({"a": "1", "b": true, "c": false, "d": null}));
        check(r"a=1\,2,b=x=y", json!({"a": "1,2", "b": "x=y"}));
        check("a=", json!({"a": ""}));
        assert!(parse_keyval("a=1,no_a").is_err());
    }

    #[test]
    fn idents() {
        let ident = |text| parse_ident_keyval(text).map(|ident| (ident.name, ident.value));
        let params = |value: Value| IdentValue::Params(value.as_object().unwrap().clone());
        assert_eq!(ident("kvm"), Ok(("kvm".into(), params(json!({})))));
        assert_eq!(ident("0:size=1g,mode=ro"), Ok(("0".into(), params(json!({"size": "1g", "mode": "ro"})))));
        assert_eq!(ident("-1:add"), Ok(("-1".into(), params(json!({"add": true})))));
        assert_eq!(ident("no_kvm"), Ok(("kvm".into(), IdentValue::Off)));
        assert_eq!(ident("-kvm"), Ok(("kvm".into(), IdentValue::Inherit)));
        assert_eq!(ident("a:ip=1:2"), Ok(("a".into(), params(json!({"ip": "1:2"})))));
        assert!(ident("no_kvm:a=1").is_err());
        assert!(ident("-kvm:a=1").is_err());
    }
}
