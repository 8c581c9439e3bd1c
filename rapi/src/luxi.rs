//! Connections to the master daemon.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gannet_core::luxi::{AsyncClient, Error, Method, Origin};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Requests of `WaitForJobChange` at a time. They do nothing but wait, so they do not count as clients; each holds a
/// socket here and a waiting task in the master.
const MAX_WAITS: usize = 256;
/// How long connecting is tried while the master's queue of connections is full.
const BUSY: Duration = Duration::from_secs(5);

/// What the master, or this node in its place, said.
#[derive(Debug)]
pub(crate) struct Said<T> {
    pub(crate) what: T,
    pub(crate) origin: Option<Arc<Origin>>,
}

impl<T> Said<T> {
    fn by(client: &AsyncClient, what: T) -> Self {
        Self { what, origin: client.origin().cloned().map(Arc::new) }
    }
}

/// The connections: reads share idle ones, what changes something gets a new one.
#[derive(Debug)]
pub(crate) struct Pool {
    socket: PathBuf,
    idle: Mutex<Vec<AsyncClient>>,
    calls: Semaphore,
    waits: Semaphore,
}

impl Pool {
    /// At most `calls` requests are given to the master at a time; more wait here for their turn.
    pub(crate) fn new(socket: PathBuf, calls: usize) -> Self {
        Self { socket, idle: Mutex::default(), calls: Semaphore::new(calls), waits: Semaphore::new(MAX_WAITS) }
    }

    /// Asks for something. A connection that has been idle may have been closed by a master that was started anew:
    /// then the question is asked again on a new one.
    pub(crate) async fn read(&self, method: Method, args: &Value) -> Result<Said<Vec<u8>>, Error> {
        let _turn = self.calls.acquire().await.map_err(|_| closed(method))?;
        if let Some(mut client) = self.take() {
            match client.call_raw(method, args).await {
                Ok(answer) => {
                    let said = Said::by(&client, answer);
                    self.put(client);
                    return Ok(said);
                }
                Err(Error::Closed { .. } | Error::Io(_)) => self.forget(),
                Err(error) => return Err(error),
            }
        }
        let mut client = self.connect().await?;
        let answer = client.call_raw(method, args).await?;
        let said = Said::by(&client, answer);
        self.put(client);
        Ok(said)
    }

    /// Changes something, once: never asked again, as it may have been done.
    pub(crate) async fn write(&self, method: Method, args: &Value) -> Result<Said<Value>, ApiError> {
        let _turn = self.calls.acquire().await.map_err(|_| closed(method))?;
        self.once(method, args).await
    }

    /// Waits for a job to change.
    pub(crate) async fn wait(&self, args: &Value) -> Result<Said<Value>, ApiError> {
        let _turn = self.waits.acquire().await.map_err(|_| closed(Method::WaitForJobChange))?;
        self.once(Method::WaitForJobChange, args).await
    }

    async fn once(&self, method: Method, args: &Value) -> Result<Said<Value>, ApiError> {
        let mut client = self.connect().await?;
        match client.call(method, args).await {
            Ok(value) => Ok(Said::by(&client, value)),
            Err(error) => Err(ApiError::from(error).said_by(client.origin().cloned().map(Arc::new))),
        }
    }

    async fn connect(&self) -> Result<AsyncClient, Error> {
        let deadline = Instant::now() + BUSY;
        loop {
            match AsyncClient::connect(&self.socket).await {
                Err(Error::NoMaster { source, .. }) if source.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                other => return other,
            }
        }
    }

    fn take(&self) -> Option<AsyncClient> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, client: AsyncClient) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
    }

    /// One idle connection was dead, so the others are.
    fn forget(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn closed(method: Method) -> Error {
    Error::Closed { method: method.as_str().to_owned() }
}
