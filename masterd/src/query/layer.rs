//! Inherited parameters that many rows share, with a row's own values laid over them while they are written.

use std::sync::Arc;

use gannet_core::config::ParamMap;
use serde_json::Value;

use super::cell::write_json;

/// Filled parameters without the own values of a row, each with its JSON.
#[derive(Debug)]
pub(crate) struct Layer {
    /// Sorted by name.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    value: Value,
    /// `"name":value`
    json: String,
}

impl Layer {
    pub(crate) fn new(params: ParamMap) -> Arc<Self> {
        let entries =
            params.into_iter().map(|(name, value)| Entry { json: format!("{}:{value}", Value::from(name.as_str())), name, value });
        Arc::new(Self { entries: entries.collect() })
    }

    fn get(&self, name: &str) -> Option<&Value> {
        let index = self.entries.binary_search_by(|entry| entry.name.as_str().cmp(name)).ok()?;
        Some(&self.entries[index].value)
    }
}

/// A layer and the values that a row sets itself.
#[derive(Debug, Clone)]
pub(crate) struct Layered<'a> {
    layer: Arc<Layer>,
    own: &'a ParamMap,
    /// Names whose own values do not count.
    not_own: &'static [&'static str],
    /// One more name, at the end, for the value of another.
    alias: Option<(&'static str, &'static str)>,
}

impl<'a> Layered<'a> {
    pub(crate) fn new(layer: Arc<Layer>, own: &'a ParamMap, not_own: &'static [&'static str]) -> Self {
        Self { layer, own, not_own, alias: None }
    }

    /// The same with the value of `of`, if there is one, also under the name `alias`.
    pub(crate) fn with_alias(self, alias: &'static str, of: &'static str) -> Self {
        Self { alias: Some((alias, of)), ..self }
    }

    /// The value in effect.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.own.get(name).filter(|_| !self.not_own.contains(&name)).or_else(|| self.layer.get(name))
    }

    /// Writes the object of all values in effect, sorted by name.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut own = self.own.iter().filter(|(name, _)| !self.not_own.contains(&name.as_str())).peekable();
        let mut separator = b'{';
        let mut separate = |out: &mut Vec<u8>| {
            out.push(separator);
            separator = b',';
        };
        for entry in &self.layer.entries {
            while let Some((name, value)) = own.next_if(|(name, _)| **name < entry.name) {
                separate(out);
                write_pair(out, name, value);
            }
            separate(out);
            match own.next_if(|(name, _)| **name == entry.name) {
                Some((name, value)) => write_pair(out, name, value),
                None => out.extend_from_slice(entry.json.as_bytes()),
            }
        }
        for (name, value) in own {
            separate(out);
            write_pair(out, name, value);
        }
        if let Some((alias, of)) = self.alias
            && let Some(value) = self.get(of)
        {
            separate(out);
            write_pair(out, alias, value);
        }
        if separator == b'{' {
            out.push(b'{');
        }
        out.push(b'}');
    }
}

fn write_pair(out: &mut Vec<u8>, name: &str, value: &Value) {
    write_json(out, name);
    out.push(b':');
    write_json(out, value);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(layer: Value, own: Value, expected: &str) {
        let (layer, own): (ParamMap, ParamMap) = (serde_json::from_value(layer).unwrap(), serde_json::from_value(own).unwrap());
        let layered = Layered::new(Layer::new(layer), &own, &["cluster_only"]);
        let mut out = Vec::new();
        layered.write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let expected: ParamMap = serde_json::from_str(expected).unwrap();
        for (name, value) in &expected {
            assert_eq!(layered.get(name), Some(value), "{name}");
        }
        assert_eq!(layered.get("no such"), None);
    }

    #[test]
    fn own_values_win_in_the_order_of_names() {
        check(json!({}), json!({}), "{}");
        check(json!({"b": 1, "d": "x"}), json!({}), r#"{"b":1,"d":"x"}"#);
        check(json!({"b": 1, "d": "x"}), json!({"a": 0, "b": 2, "c": 3, "e": null}), r#"{"a":0,"b":2,"c":3,"d":"x","e":null}"#);
        check(json!({}), json!({"a": true}), r#"{"a":true}"#);
        let (layer, own) = (json!({"maxmem": 1}), json!({"maxmem": 2}).as_object().cloned().unwrap().into_iter().collect::<ParamMap>());
        let layered = Layered::new(Layer::new(serde_json::from_value(layer).unwrap()), &own, &[]).with_alias("memory", "maxmem");
        let mut out = Vec::new();
        layered.write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"maxmem":2,"memory":2}"#);
        check(json!({"cluster_only": 1}), json!({"cluster_only": 2}), r#"{"cluster_only":1}"#);
    }
}
