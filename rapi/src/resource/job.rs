//! Jobs.

use std::sync::Arc;

use bytes::Bytes;
use gannet_core::luxi::Method;
use serde_json::{Value, json};

use crate::api::{Api, json_body};
use crate::body::Body;
use crate::call::Call;
use crate::error::ApiError;
use crate::luxi::Said;
use crate::query::Query;
use crate::route::{Access, Endpoint, Pending, Route, Verb};
use crate::shape::{Extra, Shape};

const BULK_FIELDS: &[&str] = &["id", "ops", "status", "summary", "opstatus", "received_ts", "start_ts", "end_ts"];
const FIELDS: &[&str] = &["id", "ops", "status", "summary", "opstatus", "received_ts", "start_ts", "end_ts", "oplog", "opresult"];

/// How long one `wait` lasts when nothing changes, in seconds.
const WAIT_S: u64 = 10;

pub(crate) const ROUTES: &[Route] = &[
    Route { uri: "/2/jobs", class: "jobs", endpoints: &[Endpoint::read(list)] },
    Route { uri: "/2/jobs/{job_id}", class: "jobs_id", endpoints: &[Endpoint::read(one), Endpoint::custom(Verb::Delete, cancel)] },
    Route {
        uri: "/2/jobs/{job_id}/wait",
        class: "jobs_id_wait",
        endpoints: &[Endpoint::custom(Verb::Get, wait).with_access(Access::Write)],
    },
];

fn list(call: &Call) -> Result<Query, ApiError> {
    Ok(if call.flag("bulk", false)? {
        query(Value::Null, BULK_FIELDS, Shape::Objects { fields: BULK_FIELDS, extra: Extra::None })
    } else {
        query(Value::Null, &["id"], Shape::Uris { key: "id", prefix: "/2/jobs/" })
    })
}

fn one(call: &Call) -> Result<Query, ApiError> {
    Ok(query(json!([id(call)?]), FIELDS, Shape::Object { fields: FIELDS, extra: Extra::None }))
}

fn query(ids: Value, fields: &[&str], shape: Shape) -> Query {
    Query::Luxi { method: Method::QueryJobs, args: json!([ids, fields]), shape }
}

/// Digits that are too large for a job's number name no job.
fn id(call: &Call) -> Result<u64, ApiError> {
    call.var("job_id").parse().map_err(|_| ApiError::not_found())
}

fn cancel(api: Arc<Api>, call: Call) -> Pending {
    Box::pin(async move { api.change(Method::CancelJob, &json!([id(&call)?, false])).await })
}

fn wait(api: Arc<Api>, call: Call) -> Pending {
    Box::pin(async move {
        let Said { what, origin } = api.pool.wait(&wait_for(&call)?).await?;
        Ok(Body { bytes: changed(what)?, origin })
    })
}

/// The arguments of `WaitForJobChange`.
fn wait_for(call: &Call) -> Result<Value, ApiError> {
    let mut body = call.object()?;
    let mut take = |name: &str, what: &str, fits: fn(&Value) -> bool| match body.remove(name) {
        None => Ok(Value::Null),
        Some(value) if fits(&value) => Ok(value),
        Some(_) => Err(ApiError::bad_request(format!("The '{name}' parameter should be a {what}"))),
    };
    let fields = take("fields", "list", Value::is_array)?;
    let info = take("previous_job_info", "list", |value| value.is_array() || value.is_null())?;
    let serial = take("previous_log_serial", "number", |value| value.is_u64() || value.is_null())?;
    if fields.is_null() {
        return Err(ApiError::bad_request("The 'fields' parameter should be a list"));
    }
    Ok(json!([id(call)?, fields, info, serial, WAIT_S]))
}

/// `null` when nothing changed in time.
fn changed(change: Value) -> Result<Bytes, ApiError> {
    match change {
        Value::String(text) if text == "nochange" => Ok(Bytes::from_static(b"null\n")),
        Value::Array(parts) => match <[Value; 2]>::try_from(parts) {
            Ok([info, log]) => Ok(json_body(&json!({"job_info": info, "log_entries": log}))),
            Err(_) => Err(ApiError::bad_gateway("the change of a job has another form than expected")),
        },
        _ => Err(ApiError::not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(body: Value) -> Call {
        Call { vars: vec![("job_id", "7".to_owned())], args: vec![], body: Some(body), class: "jobs_id_wait" }
    }

    #[test]
    fn what_is_waited_for() {
        let full = json!({"fields": ["status"], "previous_job_info": ["queued"], "previous_log_serial": 3});
        assert_eq!(wait_for(&call(full)), Ok(json!([7, ["status"], ["queued"], 3, 10])));
        assert_eq!(wait_for(&call(json!({"fields": ["status"], "previous_job_info": null}))), Ok(json!([7, ["status"], null, null, 10])));
        for bad in [
            json!({}),
            json!({"fields": "status"}),
            json!({"fields": [], "previous_job_info": 1}),
            json!({"fields": [], "previous_log_serial": "3"}),
        ] {
            assert_eq!(wait_for(&call(bad.clone())).unwrap_err().status.as_u16(), 400, "{bad}");
        }
    }
}
