//! `min:memory-size=128,…/max:memory-size=…`, groups separated by `//`.

use serde_json::Value;

use super::Dict;
use super::keyval::{IdentValue, parse_ident_keyval};

/// Parses the bounds of an instance policy: one object per group, with an object per identifier.
///
/// # Errors
/// An identifier or key comes twice, or a key has no value.
pub fn parse_bounds(text: &str) -> Result<Vec<Dict>, String> {
    text.split("//").filter(|group| !group.is_empty()).map(group).collect()
}

fn group(text: &str) -> Result<Dict, String> {
    let mut dict = Dict::new();
    for element in text.split('/') {
        let ident = parse_ident_keyval(element)?;
        let IdentValue::Params(params) = ident.value else { return Err(format!("'{element}' has no parameters")) };
        if let Some((key, _)) = params.iter().find(|(_, value)| !value.is_string()) {
            return Err(format!("missing value for key '{key}' in option {}", ident.name));
        }
        if dict.insert(ident.name.clone(), Value::Object(params)).is_some() {
            return Err(format!("duplicate parameter '{}'", ident.name));
        }
    }
    Ok(dict)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn groups() {
        let parsed = parse_bounds("min:a=1,b=2/max:a=3//min:a=4").unwrap();
        assert_eq!(json!(parsed), json!([{"min": {"a": "1", "b": "2"}, "max": {"a": "3"}}, {"min": {"a": "4"}}]));
        assert!(parse_bounds("min:a").is_err());
        assert!(parse_bounds("min:a=1/min:a=2").is_err());
    }
}
