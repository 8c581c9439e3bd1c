//! Errors as clients see them: `{"code", "message", "explain"}`.

use std::sync::Arc;

use bytes::Bytes;
use gannet_core::error::{ErrorCode, STATE_UNAVAILABLE, WireError};
use gannet_core::luxi::{self, Origin};
use http::StatusCode;
use serde_json::json;

/// A request that got no result. The message tells what is wrong with this one; the explanation belongs to the code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub struct ApiError {
    pub status: StatusCode,
    /// Empty for the code's own phrase.
    pub message: String,
    /// Who said it, when that is not a master that is sure of itself.
    pub(crate) origin: Option<Arc<Origin>>,
}

impl ApiError {
    /// An error of any code.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), origin: None }
    }

    /// The same, said by that node.
    #[must_use]
    pub(crate) fn said_by(self, origin: Option<Arc<Origin>>) -> Self {
        Self { origin, ..self }
    }

    /// 400: the client has to send something else.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404, with the code's own phrase as Ganeti does.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "")
    }

    /// 500.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// 502: what the master daemon said is not understood.
    pub fn bad_gateway(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, message)
    }

    /// The error's body. Ganeti escapes the message for HTML, so it is escaped here too.
    #[must_use]
    pub fn body(&self) -> Bytes {
        let message = if self.message.is_empty() { phrase(self.status) } else { &self.message };
        let mut text = json!({"code": self.status.as_u16(), "message": escape(message), "explain": explain(self.status)}).to_string();
        text.push('\n');
        text.into()
    }
}

/// A LUXI call that failed: 502 without a master, 504 without an answer, 503 when the queue takes no jobs or the
/// state cannot be written, 404 for an
/// unknown entity, else 500 with the master's text.
impl From<luxi::Error> for ApiError {
    fn from(error: luxi::Error) -> Self {
        match &error {
            luxi::Error::NoMaster { .. } | luxi::Error::Closed { .. } | luxi::Error::Io(_) => {
                Self::bad_gateway(format!("Master seems to be unreachable: {error}"))
            }
            luxi::Error::Permission { .. } => Self::internal("Internal error: no permission to connect to the master daemon"),
            luxi::Error::Timeout { .. } => Self::new(StatusCode::GATEWAY_TIMEOUT, error.to_string()),
            luxi::Error::Protocol(_) => Self::bad_gateway(error.to_string()),
            luxi::Error::Remote(refusal) => Self::from(refusal),
        }
    }
}

impl From<&WireError> for ApiError {
    fn from(refusal: &WireError) -> Self {
        match (refusal.class.as_str(), refusal.code()) {
            ("JobQueueFull", _) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "Job queue is full, needs archiving"),
            ("JobQueueDrainError", _) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "Job queue is drained, cannot submit"),
            (STATE_UNAVAILABLE, _) => Self::new(StatusCode::SERVICE_UNAVAILABLE, refusal.message()),
            ("OpPrereqError", Some(ErrorCode::NoEntity)) => Self::not_found(),
            _ => Self::internal(refusal.message()),
        }
    }
}

fn phrase(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Unknown")
}

/// What the code means in general, in the words that Ganeti's clients know.
fn explain(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "Bad request syntax or unsupported method",
        401 => "No permission -- see authorization schemes",
        403 => "Request forbidden -- authorization will not help",
        404 => "Nothing matches the given URI",
        408 => "Request timed out; try again later.",
        413 => "Entity is too large.",
        415 => "Entity body in unsupported format.",
        500 => "Server got itself in trouble",
        501 => "Server does not support this operation",
        502 => "Invalid responses from another server/proxy.",
        503 => "The server cannot process the request due to a high load",
        504 => "The gateway server did not receive a timely response",
        _ => "Unknown",
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn status(class: &str, code: Option<ErrorCode>, expected: u16) {
        let refusal = match code {
            Some(code) => WireError::prereq("text", code),
            None => WireError::new(class, "text"),
        };
        assert_eq!(ApiError::from(luxi::Error::Remote(refusal)).status.as_u16(), expected, "{class}");
    }

    #[test]
    fn refusals_have_ganetis_codes() {
        status("JobQueueFull", None, 503);
        status("JobQueueDrainError", None, 503);
        status("StateUnavailable", None, 503);
        status("GenericError", None, 500);
        status("JobLost", None, 500);
        status("OpPrereqError", Some(ErrorCode::NoEntity), 404);
        status("OpPrereqError", Some(ErrorCode::Invalid), 500);
    }

    #[test]
    fn the_message_is_escaped_and_the_explanation_is_the_codes() {
        let body = ApiError::bad_request("a <b> & 'c'").body();
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            value,
            json!({"code": 400, "message": "a &lt;b&gt; &amp; &#x27;c&#x27;", "explain": "Bad request syntax or unsupported method"})
        );
        assert!(body.ends_with(b"\n"));
        let empty: serde_json::Value = serde_json::from_slice(&ApiError::not_found().body()).unwrap();
        assert_eq!(empty["message"], "Not Found");
    }
}
