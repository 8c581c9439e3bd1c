//! Filter rules of the job queue.

use std::sync::Arc;

use gannet_core::luxi::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::call::Call;
use crate::error::ApiError;
use crate::query::Query;
use crate::route::{Endpoint, Pending, Route, Verb};
use crate::shape::{Extra, Shape};
use crate::submit::reason;

const FIELDS: &[&str] = &["watermark", "priority", "predicates", "action", "reason_trail", "uuid"];

pub(crate) const ROUTES: &[Route] = &[
    Route { uri: "/2/filters", class: "filters", endpoints: &[Endpoint::read(list), Endpoint::custom(Verb::Post, replace)] },
    Route {
        uri: "/2/filters/{filter_uuid}",
        class: "filters_uuid",
        endpoints: &[Endpoint::read(one), Endpoint::custom(Verb::Put, replace), Endpoint::custom(Verb::Delete, delete)],
    },
];

fn list(call: &Call) -> Result<Query, ApiError> {
    Ok(if call.flag("bulk", false)? {
        query(Value::Null, FIELDS, Shape::Objects { fields: FIELDS, extra: Extra::None })
    } else {
        query(Value::Null, &["uuid"], Shape::Uris { key: "uuid", prefix: "/2/filters/" })
    })
}

fn one(call: &Call) -> Result<Query, ApiError> {
    Ok(query(json!([call.var("filter_uuid")]), FIELDS, Shape::Object { fields: FIELDS, extra: Extra::None }))
}

fn query(uuids: Value, fields: &[&str], shape: Shape) -> Query {
    Query::Luxi { method: Method::QueryFilters, args: json!([uuids, fields]), shape }
}

/// Adds a rule (no UUID in the path) or replaces one; answers its UUID.
fn replace(api: Arc<Api>, call: Call) -> Pending {
    Box::pin(async move { api.change(Method::ReplaceFilter, &rule(&call)?).await })
}

fn delete(api: Arc<Api>, call: Call) -> Pending {
    Box::pin(async move { api.change(Method::DeleteFilter, &json!([call.var("filter_uuid")])).await })
}

/// The arguments of `ReplaceFilter`.
fn rule(call: &Call) -> Result<Value, ApiError> {
    let mut body = call.object()?;
    let mut take = |name: &str, default: Value, fits: fn(&Value) -> bool| match body.remove(name) {
        None => Ok(default),
        Some(value) if fits(&value) => Ok(value),
        Some(_) => Err(ApiError::bad_request(format!("the value of '{name}' is of the wrong type"))),
    };
    let priority = take("priority", json!(0), Value::is_u64)?;
    let predicates = take("predicates", json!([]), Value::is_array)?;
    let action = take("action", json!("CONTINUE"), |action| action.is_string() || action.is_array())?;
    let mut trail = take("reason", json!([]), Value::is_array)?;
    if let Some(unknown) = body.keys().next() {
        return Err(ApiError::bad_request(format!("Unknown body parameter '{unknown}'")));
    }
    if let (Value::Array(trail), Value::Array(own)) = (&mut trail, reason(call)) {
        trail.extend(own);
    }
    let uuid = Some(call.var("filter_uuid")).filter(|uuid| !uuid.is_empty());
    Ok(json!([uuid, priority, predicates, action, trail]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(body: Value) -> Call {
        Call { vars: vec![], args: vec![], body: Some(body), class: "filters" }
    }

    #[test]
    fn rules() {
        let all_defaults = rule(&call(json!({}))).unwrap();
        assert_eq!(all_defaults[0], Value::Null);
        assert_eq!((&all_defaults[1], &all_defaults[2], &all_defaults[3]), (&json!(0), &json!([]), &json!("CONTINUE")));
        assert_eq!(all_defaults[4][0][0], "gnt:library:rlib2:filters");
        for bad in [json!({"priority": -1}), json!({"predicates": {}}), json!({"action": 1}), json!({"other": 1}), json!([])] {
            assert_eq!(rule(&call(bad.clone())).unwrap_err().status.as_u16(), 400, "{bad}");
        }
    }
}
