//! Our errors as gRPC status codes, and back.

use tonic::{Code, Status, metadata::MetadataValue};

use crate::error::Error;

/// Carries the leader's id with `FAILED_PRECONDITION`; 0 when unknown.
const LEADER: &str = "gannet-leader";

/// For the server.
pub(crate) fn encode(error: &Error) -> Status {
    let code = match error {
        Error::NotLeader { .. } => Code::FailedPrecondition,
        Error::Unavailable { .. } | Error::Unusable { .. } => Code::Unavailable,
        Error::Timeout { .. } => Code::DeadlineExceeded,
        Error::Lagged => Code::DataLoss,
        Error::Invalid { .. } => Code::InvalidArgument,
    };
    let text = match error {
        Error::Unavailable { reason } | Error::Unusable { reason } | Error::Invalid { reason } => reason.clone(),
        other => other.to_string(),
    };
    let mut status = Status::new(code, text);
    if let Error::NotLeader { leader } = error {
        let value = MetadataValue::from(leader.unwrap_or(0));
        status.metadata_mut().insert(LEADER, value);
    }
    status
}

/// For the client.
pub(crate) fn decode(status: &Status) -> Error {
    match status.code() {
        Code::FailedPrecondition => {
            let leader = status.metadata().get(LEADER).and_then(|v| v.to_str().ok());
            let leader = leader.and_then(|text| text.parse().ok());
            Error::NotLeader { leader: leader.filter(|id| *id != 0) }
        }
        Code::DataLoss => Error::Lagged,
        Code::InvalidArgument => Error::invalid(status.message()),
        _ => Error::unavailable(status.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: Error) {
        let back = decode(&encode(&error));
        assert_eq!(back.to_string(), error.to_string());
    }

    #[test]
    fn errors_survive_the_wire() {
        check(Error::NotLeader { leader: Some(7) });
        check(Error::NotLeader { leader: None });
        check(Error::unavailable("no space left in /var/lib/ganeti/confd"));
        check(Error::Lagged);
        check(Error::invalid("no key"));
    }
}
