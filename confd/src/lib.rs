//! confd: the replicated store of the configuration and the job queue.
//!
//! Rows `(kind, id)` hold a JSON text and a revision. A [`Command`](command::Command)
//! is a transaction on rows; it is acknowledged when a majority of the master
//! candidates has it on disk. confd does not know what the rows mean.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod client;
pub mod command;
pub mod daemon;
pub mod error;
pub mod state;
pub mod status;

mod bootstrap;
mod identity;
mod proposer;
mod raft;
mod server;
mod store;
mod tls;
mod wire;
mod wire_status;

pub use bootstrap::{bootstrap, prepare};
pub use client::{Client, Event, Follower, Proposed};
pub use command::{Change, Command, Condition, Expect, Key, Kind, Outcome, Row, RowChange, Write};
pub use error::Error;
pub use identity::Identity;
pub use status::{Member, NO_MAJORITY, Role, RoleKind, Status};

/// The largest gRPC message either side takes: a batch of writes of large
/// jobs, with room.
const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// An error with all its causes, in one line.
fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
