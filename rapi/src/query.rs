//! What a read resource asks the master.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gannet_core::job::JobStatus;
use gannet_core::luxi::Method;
use gannet_core::opcode::{OpCode, OsDiagnose};
use serde_json::{Value, json};

use crate::body::Body;
use crate::error::ApiError;
use crate::luxi::{Pool, Said};
use crate::shape::{self, Shape};

/// How long the list of operating systems may take: a node that does not answer is left out by the master before.
const OS_LIST: Duration = Duration::from_secs(120);
/// How long one wait for that job lasts, in seconds.
const OS_WAIT_S: u64 = 10;

/// Something to read. Two equal ones have the same answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Query {
    /// One LUXI call and what is made of its result.
    Luxi { method: Method, args: Value, shape: Shape },
    /// The operating systems: a job of `OP_OS_DIAGNOSE`.
    OsList,
}

impl Query {
    /// Names the query: the same text means the same query.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Luxi { method, args, shape } => format!("{} {args} {shape:?}", method.as_str()),
            Self::OsList => "os".to_owned(),
        }
    }

    /// Asks, and makes the body.
    pub(crate) async fn run(self, pool: Arc<Pool>) -> Result<Body, ApiError> {
        match self {
            Self::Luxi { method, args, shape } => {
                let Said { what, origin } = pool.read(method, &args).await?;
                let body = shape::body(what, shape);
                // Ganeti's own exception: all other resources of a node answer 404
                if shape == Shape::Role && body.as_ref().is_err_and(|error| *error == ApiError::not_found()) {
                    return Err(ApiError::internal("unknown node").said_by(origin));
                }
                match body {
                    Ok(bytes) => Ok(Body { bytes, origin }),
                    Err(error) => Err(error.said_by(origin)),
                }
            }
            Self::OsList => os_list(&pool).await,
        }
    }
}

async fn os_list(pool: &Pool) -> Result<Body, ApiError> {
    let opcode = OpCode::from(OsDiagnose::new(vec!["name".to_owned(), "variants".to_owned()]));
    let opcode = serde_json::to_value(&opcode).map_err(|error| ApiError::internal(error.to_string()))?;
    let id = pool.write(Method::SubmitJob, &json!([[opcode]])).await?.what;
    finished(pool, &id).await?;
    let Said { what: answer, origin } = pool.read(Method::QueryJobs, &json!([[id], ["status", "opresult"]])).await?;
    let not_a_list = || ApiError::bad_gateway("Can't get OS list");
    let rows: Vec<(JobStatus, Vec<Value>)> = serde_json::from_slice(shape::result(&answer)?).map_err(|_| not_a_list())?;
    let (status, mut results) = rows.into_iter().next().ok_or_else(not_a_list)?;
    let result = results.drain(..).next().unwrap_or_default();
    if status != JobStatus::Success {
        return Err(ApiError::internal(format!("job {id} ended with status {status}: {result}")));
    }
    let systems: Vec<(String, Option<Vec<String>>)> = serde_json::from_value(result).map_err(|_| not_a_list())?;
    let names: Vec<String> = systems.into_iter().flat_map(|(name, variants)| names(name, variants.unwrap_or_default())).collect();
    Ok(Body { bytes: (json!(names).to_string() + "\n").into(), origin })
}

/// An OS with variants is known by them only.
fn names(name: String, variants: Vec<String>) -> Vec<String> {
    if variants.is_empty() { vec![name] } else { variants.into_iter().map(|variant| format!("{name}+{variant}")).collect() }
}

async fn finished(pool: &Pool, id: &Value) -> Result<(), ApiError> {
    let deadline = Instant::now() + OS_LIST;
    let mut seen = Value::Null;
    while Instant::now() < deadline {
        let change = pool.wait(&json!([id, ["status"], seen, null, OS_WAIT_S])).await?.what;
        let status: Option<JobStatus> = change.pointer("/0/0").and_then(|status| serde_json::from_value(status.clone()).ok());
        if status.is_some_and(JobStatus::is_final) {
            return Ok(());
        }
        if let Some(fields) = change.get(0) {
            seen = fields.clone();
        }
    }
    Err(ApiError::new(http::StatusCode::GATEWAY_TIMEOUT, format!("job {id} did not end within {} s", OS_LIST.as_secs())))
}
