//! A request that found its resource: path variables, query arguments, body.

use serde_json::Value;

use crate::error::ApiError;

/// What a client asks of a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The values of the variables in the resource's pattern, by name.
    pub vars: Vec<(&'static str, String)>,
    /// The arguments after the question mark, in their order.
    pub args: Vec<(String, String)>,
    /// The JSON body.
    pub body: Option<Value>,
    /// The resource's name in reason trails.
    pub class: &'static str,
}

impl Call {
    /// The path variable `name`; empty when the pattern has none of this name.
    #[must_use]
    pub fn var(&self, name: &str) -> &str {
        self.vars.iter().find(|(var, _)| *var == name).map_or("", |(_, value)| value)
    }

    /// The first query argument of this name.
    #[must_use]
    pub fn arg(&self, name: &str) -> Option<&str> {
        self.args.iter().find(|(arg, _)| arg == name).map(|(_, value)| value.as_str())
    }

    /// A query argument that is 0 or another number.
    ///
    /// # Errors
    /// 400 when it is no number.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        match self.arg(name) {
            None => Ok(default),
            Some(text) => text
                .trim()
                .parse()
                .map(|number: i64| number != 0)
                .map_err(|_| ApiError::bad_request(format!("Invalid value for the '{name}' parameter"))),
        }
    }

    /// A query argument with a comma-separated list.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.arg(name).filter(|text| !text.is_empty()).map(|text| text.split(',').collect())
    }

    /// The body as an object; nothing at all is an empty one.
    ///
    /// # Errors
    /// 400 when it is something else.
    pub fn object(&self) -> Result<serde_json::Map<String, Value>, ApiError> {
        match &self.body {
            None | Some(Value::Null) => Ok(serde_json::Map::new()),
            Some(Value::Object(object)) => Ok(object.clone()),
            Some(_) => Err(ApiError::bad_request("Body contents: an object is expected")),
        }
    }
}

/// Splits the part of a URI after the question mark.
#[must_use]
pub fn arguments(query: Option<&str>) -> Vec<(String, String)> {
    query.map(|query| form_urlencoded::parse(query.as_bytes()).into_owned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_as_ganeti_reads_them() {
        let args = arguments(Some("bulk=1&dry-run=&tag=a%20b&tag=c+d&list=x,y&empty="));
        let call = Call { vars: vec![("instance_name", "web1".to_owned())], args, body: None, class: "test" };
        assert_eq!((call.var("instance_name"), call.var("other")), ("web1", ""));
        assert_eq!(call.flag("bulk", false), Ok(true));
        assert_eq!(call.flag("absent", true), Ok(true));
        assert_eq!(call.flag("dry-run", false), Err(ApiError::bad_request("Invalid value for the 'dry-run' parameter")));
        assert_eq!(call.args.iter().filter(|(name, _)| name == "tag").map(|(_, tag)| tag.as_str()).collect::<Vec<_>>(), ["a b", "c d"]);
        assert_eq!(call.list("list"), Some(vec!["x", "y"]));
        assert_eq!((call.list("empty"), call.list("absent")), (None, None));
    }
}
