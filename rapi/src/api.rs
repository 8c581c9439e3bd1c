//! One request from its head to its answer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gannet_core::luxi::{Method, Origin};
use gannet_core::opcode::OpCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, SERVER, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use serde_json::{Value, json};

use crate::auth::Users;
use crate::body::{self, Body};
use crate::call::{Call, arguments};
use crate::error::ApiError;
use crate::flight::Flights;
use crate::luxi::{Pool, Said};
use crate::query::Query;
use crate::route::{Action, Route, Verb};
use crate::submit::Submit;

/// The largest body that is read, in bytes: thousands of instances in one `instances-multi-alloc`.
pub const MAX_BODY: usize = 8 << 20;
/// How long a client may take to send its body.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// The version of Ganeti whose interface this is; clients compare the header `Server`.
const SERVER_HEADER: HeaderValue = HeaderValue::from_static("Ganeti 3.1.1");

/// The interface: everything behind HTTP. Cheap to share.
#[derive(Debug)]
pub struct Api {
    users: Users,
    require_authentication: bool,
    pub(crate) pool: Arc<Pool>,
    flights: Flights,
}

impl Api {
    /// An interface to the master daemon at the LUXI socket, for the users of the file. At most `clients` requests are
    /// given to the master at a time.
    #[must_use]
    pub fn new(socket: PathBuf, users: PathBuf, require_authentication: bool, clients: usize) -> Self {
        let pool = Arc::new(Pool::new(socket, clients));
        Self { users: Users::new(users), require_authentication, flights: Flights::new(pool.clone()), pool }
    }

    /// Reads the users file anew.
    pub fn reload(&self) {
        self.users.reload();
    }

    /// Answers a request. Everything that can go wrong is an answer too.
    pub async fn answer<B>(self: Arc<Self>, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: hyper::body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        match self.handle(request).await {
            Ok(Body { bytes, origin }) => response(StatusCode::OK, bytes, origin.as_deref()),
            Err(error) => {
                match error.status.is_server_error() && error.status != StatusCode::NOT_IMPLEMENTED {
                    true => tracing::error!(%method, path, %error, "a request was not carried out"),
                    false => tracing::debug!(%method, path, %error, "refused"),
                }
                let mut response = response(error.status, error.body(), error.origin.as_deref());
                if error.status == StatusCode::UNAUTHORIZED {
                    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Ganeti Remote API\""));
                }
                response
            }
        }
    }

    async fn handle<B>(self: Arc<Self>, request: Request<B>) -> Result<Body, ApiError>
    where
        B: hyper::body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        if head.version == Version::HTTP_11 && !head.headers.contains_key(HOST) {
            return Err(ApiError::bad_request("the header Host is missing"));
        }
        let path = head.uri.path();
        let (route, vars) = Route::find(path).ok_or_else(ApiError::not_found)?;
        let endpoint = Verb::parse(head.method.as_str())
            .and_then(|verb| route.endpoint(verb))
            .ok_or_else(|| ApiError::new(StatusCode::NOT_IMPLEMENTED, format!("Method {} is unsupported for path {path}", head.method)))?;
        let credentials = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        self.users.authorize(credentials, endpoint.access, self.require_authentication)?;
        let body = read_body(body, head.headers.get(CONTENT_TYPE)).await?;
        let call = Call { vars, args: arguments(head.uri.query()), body, class: route.class };
        match &endpoint.action {
            Action::Constant(body) => Ok(Bytes::from_static(body.as_bytes()).into()),
            Action::Read(query) => self.read(query(&call)?).await,
            Action::Submit(submit) => self.submit(submit, &call).await,
            Action::Custom(run) => run(self.clone(), call).await,
        }
    }

    /// Asks the master, together with those who ask the same.
    pub(crate) async fn read(&self, query: Query) -> Result<Body, ApiError> {
        self.flights.ask(query).await
    }

    async fn submit(&self, submit: &Submit, call: &Call) -> Result<Body, ApiError> {
        self.submit_job(&[submit.opcode(call)?]).await
    }

    /// Submits one job; the body is its number.
    pub(crate) async fn submit_job(&self, opcodes: &[OpCode]) -> Result<Body, ApiError> {
        let job = serde_json::to_value(opcodes).map_err(|error| ApiError::internal(error.to_string()))?;
        self.change(Method::SubmitJob, &json!([job])).await
    }

    /// Changes something by a LUXI call; the body is its result.
    pub(crate) async fn change(&self, method: Method, args: &Value) -> Result<Body, ApiError> {
        let Said { what, origin } = self.pool.write(method, args).await?;
        Ok(Body { bytes: json_body(&what), origin })
    }
}

/// A value as a body.
pub(crate) fn json_body(value: &Value) -> Bytes {
    (value.to_string() + "\n").into()
}

fn response(status: StatusCode, bytes: Bytes, origin: Option<&Origin>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(SERVER, SERVER_HEADER);
    if let Some(origin) = origin {
        body::tell(response.headers_mut(), origin);
    }
    response
}

/// Reads a body to its end: none is `None`; anything else has to be JSON and say so.
async fn read_body<B>(body: B, content_type: Option<&HeaderValue>) -> Result<Option<Value>, ApiError>
where
    B: hyper::body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.is_end_stream() {
        return Ok(None);
    }
    let whole = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await;
    let bytes = match whole {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {MAX_BODY} bytes")));
        }
        Ok(Err(error)) => return Err(ApiError::bad_request(format!("the body could not be read: {error}"))),
        Err(_) => {
            return Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, format!("the body did not come within {} s", BODY_TIMEOUT.as_secs())));
        }
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    let media_type = content_type.and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    if !media_type.is_some_and(|found| found.trim().eq_ignore_ascii_case("application/json")) {
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a body must be of type application/json"));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|error| ApiError::bad_request(format!("Unable to parse JSON data: {error}")))
}
