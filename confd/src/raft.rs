//! Consensus, behind a trait of our own.
//!
//! Nothing outside this folder names the library, so that it can be replaced.

// The library's errors are what they are, and rare.
#![allow(clippy::result_large_err)]

mod convert;
mod election;
pub(crate) mod generation;
mod log_storage;
mod network;
mod node;
mod outside;
mod role;
mod service;
mod state_machine;
#[cfg(test)]
mod tests;
mod transfer;
mod types;

pub(crate) use network::{Network, Transport};
pub(crate) use node::{Node, NodeOptions};
pub(crate) use outside::{Answer, Group, alone, term_of};
pub(crate) use service::service;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::command::{Command, Outcome};
use crate::error::Error;
use crate::status::{Member, Role};

/// What the rest of confd needs of a Raft member.
#[tonic::async_trait]
pub(crate) trait Consensus: Send + Sync + 'static {
    /// Refuses what could not be written now, instead of letting it wait for a majority that is not there.
    fn writable(&self) -> Result<(), Error>;

    /// Puts commands into one log entry, and waits until it is applied here.
    async fn propose(&self, commands: Arc<Vec<Command>>) -> Result<(u64, Vec<Outcome>), Error>;

    /// The index that a linearizable read must have applied; proves leadership.
    async fn read_index(&self) -> Result<u64, Error>;

    /// Role, term and leader, as they change.
    fn role(&self) -> watch::Receiver<Role>;

    /// Numbers and members.
    fn view(&self) -> View;

    /// Adds a learner, or makes a learner a voter, or a voter a learner.
    async fn add_member(&self, member: Member) -> Result<Vec<Member>, Error>;

    /// Removes a member.
    async fn remove_member(&self, id: u64) -> Result<Vec<Member>, Error>;

    /// Stops for good. What was acknowledged is on disk already.
    async fn shutdown(&self);
}

/// What a member knows at the moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    pub(crate) last_log: u64,
    pub(crate) applied: u64,
    pub(crate) snapshot: u64,
    pub(crate) members: Vec<Member>,
    pub(crate) silence: Option<Duration>,
}
