//! One guest, by name.

pub(crate) mod devices;
pub(crate) mod inspect;
pub(crate) mod lifecycle;
pub(crate) mod migrate;

use std::time::Duration;

use crate::worker::{Call, Lane};
use crate::{Connection, Error};

/// A guest's name at a libvirtd, and what can be done with it. Each call looks the domain up anew, so the handle may be
/// kept over restarts of guest and daemon. Calls about one guest come one after the other (reads, changes and
/// destroy/abort each in a queue of its own).
#[derive(Clone)]
pub struct Domain {
    connection: Connection,
    name: String,
    deadline: Option<Duration>,
}

impl Domain {
    pub(crate) fn new(connection: Connection, name: &str) -> Domain {
        Domain { connection, name: name.to_owned(), deadline: None }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The same domain with one deadline for each call, instead of those of [`crate::Options`].
    pub fn with_deadline(&self, deadline: Duration) -> Domain {
        Domain { deadline: Some(deadline), ..self.clone() }
    }

    async fn query<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Call<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.run(name, Lane::Query, self.connection.options().query, work).await
    }

    pub(crate) async fn change<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Call<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.run(name, Lane::Change, self.connection.options().change, work).await
    }

    async fn control<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Call<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.run(name, Lane::Control, self.connection.options().change, work).await
    }

    async fn run<T: Send + 'static>(
        &self,
        name: &'static str,
        lane: Lane,
        deadline: Duration,
        work: impl FnOnce(&Call<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let deadline = self.deadline.unwrap_or(deadline);
        self.connection.pool().run(name, &self.name, lane, deadline, work).await
    }
}
