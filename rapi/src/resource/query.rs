//! The query language: any resource, any fields, any filter.

use gannet_core::luxi::Method;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::ApiError;
use crate::query::Query;
use crate::route::{Access, Action, Endpoint, Route, Verb};
use crate::shape::Shape;

pub(crate) const ROUTES: &[Route] = &[
    Route {
        uri: "/2/query/{resource}",
        class: "query",
        endpoints: &[
            Endpoint::read(by_uri).with_access(Access::Read),
            Endpoint { verb: Verb::Put, access: Access::Read, action: Action::Read(by_body) },
        ],
    },
    Route { uri: "/2/query/{resource}/fields", class: "query_fields", endpoints: &[Endpoint::read(fields)] },
];

fn by_uri(call: &Call) -> Result<Query, ApiError> {
    Ok(query(call, wanted(call)?, Value::Null))
}

fn by_body(call: &Call) -> Result<Query, ApiError> {
    if call.body.is_none() {
        return Err(ApiError::bad_request("a body with the query is missing"));
    }
    let mut body = call.object()?;
    let fields = match body.remove("fields") {
        Some(fields @ Value::Array(_)) => fields,
        Some(_) => return Err(ApiError::bad_request("The 'fields' parameter should be a list")),
        None => wanted(call)?,
    };
    let filter = body.remove("qfilter").or_else(|| body.remove("filter")).unwrap_or_default();
    Ok(query(call, fields, filter))
}

fn query(call: &Call, fields: Value, filter: Value) -> Query {
    Query::Luxi { method: Method::Query, args: json!([call.var("resource"), fields, filter]), shape: Shape::AsIs }
}

fn fields(call: &Call) -> Result<Query, ApiError> {
    let args = json!([call.var("resource"), call.list("fields")]);
    Ok(Query::Luxi { method: Method::QueryFields, args, shape: Shape::AsIs })
}

/// The fields as the URI names them.
fn wanted(call: &Call) -> Result<Value, ApiError> {
    let fields = call.list("fields").ok_or_else(|| ApiError::bad_request("Missing the required 'fields' parameter"))?;
    Ok(fields.into_iter().map(str::trim).collect())
}
