//! OS parameters of requests about instances that exist: merging, and the rule that a name is of one kind only.

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::param::INHERIT;
use serde_json::Value;

use crate::refusal::Refusal;

/// OS parameters after a request, in which null and `default` take one away.
pub(super) fn merged<'a>(
    old: &BTreeMap<String, String>,
    request: impl IntoIterator<Item = (&'a String, &'a Value)>,
) -> Result<BTreeMap<String, String>, Refusal> {
    let mut new = old.clone();
    for (name, value) in request {
        match value {
            Value::Null => {
                new.remove(name);
            }
            Value::String(text) if text == INHERIT => {
                new.remove(name);
            }
            Value::String(text) => {
                new.insert(name.clone(), text.clone());
            }
            Value::Bool(_) | Value::Number(_) => {
                new.insert(name.clone(), value.to_string());
            }
            Value::Array(_) | Value::Object(_) => return Err(Refusal::invalid(format!("The OS parameter '{name}' must be a text"))),
        }
    }
    Ok(new)
}

/// Refuses one name in several kinds (public, private, secret).
pub(super) fn check_distinct<const N: usize>(kinds: [Vec<&String>; N]) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    let repeated: BTreeSet<&str> = kinds.into_iter().flatten().map(String::as_str).filter(|name| !seen.insert(*name)).collect();
    if repeated.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = repeated.into_iter().collect();
    Err(Refusal::invalid(format!("OS parameters repeated multiple times: {}", names.join(", "))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_laid_over_what_there_is() {
        let old = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned()), ("c".to_owned(), "3".to_owned())]);
        let request = json!({"a": null, "b": "default", "c": 7, "d": "x"});
        let new = merged(&old, request.as_object().unwrap()).unwrap();
        assert_eq!(new, BTreeMap::from([("c".to_owned(), "7".to_owned()), ("d".to_owned(), "x".to_owned())]));
        assert!(merged(&old, json!({"a": []}).as_object().unwrap()).is_err());
    }

    #[test]
    fn a_name_is_of_one_kind() {
        let (a, b) = ("a".to_owned(), "b".to_owned());
        assert!(check_distinct([vec![&a], vec![&b]]).is_ok());
        let refused = check_distinct([vec![&a, &b], vec![&b]]).unwrap_err();
        assert_eq!(refused.message, "OS parameters repeated multiple times: b");
    }
}
