//! Requests and answers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::END_OF_MESSAGE;
use crate::error::WireError;
use crate::job::LogEntry;

/// Why a LUXI call gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens: the master daemon is not running here, or this node is not the master.
    #[error(
        "Cannot contact the master daemon on {socket}. Is gannet-masterd running, and is this node the master? (`gnt-cluster getmaster` tells)"
    )]
    NoMaster {
        /// The socket that was tried.
        socket: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The socket's permissions keep this user out.
    #[error(
        "You are not allowed to talk to the master daemon on {socket}: run this as root, or as a member of the group that owns the socket"
    )]
    Permission {
        /// The socket that was tried.
        socket: String,
    },
    /// No answer in time.
    #[error("Timeout while talking to the master daemon: no answer to {method} within {seconds} s")]
    Timeout {
        /// What was asked.
        method: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The other side went away.
    #[error("The master daemon closed the connection while {method} was under way")]
    Closed {
        /// What was asked.
        method: String,
    },
    /// Another input or output error.
    #[error("Cannot talk to the master daemon")]
    Io(#[source] std::io::Error),
    /// The answer is not LUXI.
    #[error("Invalid answer from the master daemon: {0}")]
    Protocol(String),
    /// The master daemon refused or failed.
    #[error("{0}")]
    Remote(WireError),
}

/// A request, as read by a server.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Request {
    /// E.g. `SubmitJob`.
    pub method: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Value,
}

/// The methods of LUXI: Ganeti's, and after them Gannet's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Method {
    SubmitJob,
    SubmitJobToDrainedQueue,
    SubmitManyJobs,
    PickupJob,
    CancelJob,
    ChangeJobPriority,
    ArchiveJob,
    AutoArchiveJobs,
    WaitForJobChange,
    Query,
    QueryFields,
    QueryJobs,
    QueryInstances,
    QueryNodes,
    QueryGroups,
    QueryNetworks,
    QueryFilters,
    ReplaceFilter,
    DeleteFilter,
    QueryExports,
    QueryConfigValues,
    QueryClusterInfo,
    QueryTags,
    SetDrainFlag,
    SetWatcherPause,
    /// `[node name, options object]` → `{"token": text, "expires": unix seconds, "command": text}`: lets a node join.
    CreateJoinToken,
    /// `[token id]` → `{"state": "waiting"|"joined"|"expired", "job": id or null}`.
    JoinStatus,
    /// `[node names, command, timeout s]` → list of `[node, exit code, output]` (`gnt-cluster command`).
    RunCommand,
    /// `[node names, path]` → list of `[node, null or error text]` (`gnt-cluster copyfile`): sends the master's file.
    CopyFile,
    /// `[]` → state of the store: role, term, applied index, members, sizes.
    StoreStatus,
    /// `[]` → log index of the state: what a copy must have to be as new as the master's. Also proof that the master still leads.
    ReadIndex,
    /// `[resource, fields, false]` → list of objects `{field: value or null}`, as RAPI's `bulk=1` has them: `beparams` of
    /// instances also has `memory`, equal to `maxmem`.
    QueryObjects,
}

impl Method {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SubmitJob => "SubmitJob",
            Self::SubmitJobToDrainedQueue => "SubmitJobToDrainedQueue",
            Self::SubmitManyJobs => "SubmitManyJobs",
            Self::PickupJob => "PickupJob",
            Self::CancelJob => "CancelJob",
            Self::ChangeJobPriority => "ChangeJobPriority",
            Self::ArchiveJob => "ArchiveJob",
            Self::AutoArchiveJobs => "AutoArchiveJobs",
            Self::WaitForJobChange => "WaitForJobChange",
            Self::Query => "Query",
            Self::QueryFields => "QueryFields",
            Self::QueryJobs => "QueryJobs",
            Self::QueryInstances => "QueryInstances",
            Self::QueryNodes => "QueryNodes",
            Self::QueryGroups => "QueryGroups",
            Self::QueryNetworks => "QueryNetworks",
            Self::QueryFilters => "QueryFilters",
            Self::ReplaceFilter => "ReplaceFilter",
            Self::DeleteFilter => "DeleteFilter",
            Self::QueryExports => "QueryExports",
            Self::QueryConfigValues => "QueryConfigValues",
            Self::QueryClusterInfo => "QueryClusterInfo",
            Self::QueryTags => "QueryTags",
            Self::SetDrainFlag => "SetDrainFlag",
            Self::SetWatcherPause => "SetWatcherPause",
            Self::CreateJoinToken => "CreateJoinToken",
            Self::JoinStatus => "JoinStatus",
            Self::RunCommand => "RunCommand",
            Self::CopyFile => "CopyFile",
            Self::StoreStatus => "StoreStatus",
            Self::ReadIndex => "ReadIndex",
            Self::QueryObjects => "QueryObjects",
        }
    }

    /// Whether it changes nothing: asked again after a connection broke, it does no harm.
    #[must_use]
    pub fn is_read(self) -> bool {
        match self {
            Self::WaitForJobChange
            | Self::Query
            | Self::QueryFields
            | Self::QueryJobs
            | Self::QueryInstances
            | Self::QueryNodes
            | Self::QueryGroups
            | Self::QueryNetworks
            | Self::QueryFilters
            | Self::QueryExports
            | Self::QueryConfigValues
            | Self::QueryClusterInfo
            | Self::QueryTags
            | Self::JoinStatus
            | Self::StoreStatus
            | Self::ReadIndex
            | Self::QueryObjects => true,
            Self::SubmitJob
            | Self::SubmitJobToDrainedQueue
            | Self::SubmitManyJobs
            | Self::PickupJob
            | Self::CancelJob
            | Self::ChangeJobPriority
            | Self::ArchiveJob
            | Self::AutoArchiveJobs
            | Self::ReplaceFilter
            | Self::DeleteFilter
            | Self::SetDrainFlag
            | Self::SetWatcherPause
            | Self::CreateJoinToken
            | Self::RunCommand
            | Self::CopyFile => false,
        }
    }

    /// The method of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(Value::String(name.to_owned())).ok()
    }
}

/// What `WaitForJobChange` found.
#[derive(Debug, Clone, PartialEq)]
pub enum JobChange {
    /// Nothing within the time.
    NoChange,
    /// New values of the asked fields, and the log entries after the last one seen.
    Changed(Vec<Value>, Vec<LogEntry>),
}

impl JobChange {
    /// Reads the method's result.
    ///
    /// # Errors
    /// [`Error::Protocol`] when it is neither form.
    pub fn from_json(value: Value) -> Result<Self, Error> {
        if value == "nochange" {
            return Ok(Self::NoChange);
        }
        let (fields, log): (Vec<Value>, Option<Vec<LogEntry>>) =
            serde_json::from_value(value).map_err(|error| Error::Protocol(error.to_string()))?;
        Ok(Self::Changed(fields, log.unwrap_or_default()))
    }
}

/// A request as bytes, terminator included.
#[must_use]
pub fn encode_request(method: &str, args: &Value) -> Vec<u8> {
    finish(json!({"method": method, "args": args, "version": crate::config::CONFIG_VERSION}).to_string())
}

/// A positive answer as bytes, terminator included.
#[must_use]
pub fn encode_success(result: &Value) -> Vec<u8> {
    let mut text = String::from("{\"success\":true,\"result\":");
    text.push_str(&result.to_string());
    text.push('}');
    finish(text)
}

/// A negative answer as bytes, terminator included.
#[must_use]
pub fn encode_failure(error: &WireError) -> Vec<u8> {
    finish(json!({"success": false, "result": error.to_json()}).to_string())
}

/// JSON never holds a raw 0x03 (it is escaped inside strings), so the terminator is unambiguous.
fn finish(text: String) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    bytes.push(END_OF_MESSAGE);
    bytes
}

/// Takes the first whole message out of what was received, without its terminator. `searched` is how much of it is known to
/// hold no terminator; it is brought up to date.
#[must_use]
pub fn take_message(received: &mut Vec<u8>, searched: &mut usize) -> Option<Vec<u8>> {
    let Some(end) = memchr::memchr(END_OF_MESSAGE, received.get(*searched..)?) else {
        *searched = received.len();
        return None;
    };
    let end = *searched + end;
    *searched = 0;
    // Nothing behind it, as nearly always: the bytes of a long answer are not copied.
    let mut message = if end + 1 == received.len() { std::mem::take(received) } else { received.drain(..=end).collect() };
    message.pop();
    Some(message)
}

/// Reads an answer (without the terminator).
///
/// # Errors
/// [`Error::Remote`] when the server refused, [`Error::Protocol`] when it is not an answer.
pub fn decode_response(bytes: &[u8]) -> Result<Value, Error> {
    #[derive(Deserialize)]
    struct Answer {
        success: bool,
        #[serde(default)]
        result: Value,
    }
    let answer: Answer = serde_json::from_slice(bytes).map_err(|error| Error::Protocol(error.to_string()))?;
    if answer.success {
        return Ok(answer.result);
    }
    Err(Error::Remote(WireError::from_json(&answer.result).unwrap_or_else(|| match answer.result {
        Value::String(text) => WireError::new("GenericError", text),
        other => WireError::new("GenericError", other.to_string()),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_one_by_one() {
        let mut received = b"one".to_vec();
        let mut searched = 0;
        assert_eq!(take_message(&mut received, &mut searched), None);
        assert_eq!(searched, 3);
        received.extend_from_slice(b"!\x03two\x03thr");
        assert_eq!(take_message(&mut received, &mut searched).as_deref(), Some(&b"one!"[..]));
        assert_eq!(take_message(&mut received, &mut searched).as_deref(), Some(&b"two"[..]));
        assert_eq!(take_message(&mut received, &mut searched), None);
        received.extend_from_slice(b"ee\x03");
        assert_eq!(take_message(&mut received, &mut searched).as_deref(), Some(&b"three"[..]));
        assert_eq!((received.len(), searched), (0, 0));
    }
}
