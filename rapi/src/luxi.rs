//! Connections to the master daemon.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gannet_core::luxi::{AsyncClient, Error, Method};
use serde_json::Value;
use tokio::sync::Semaphore;

/// Requests of `WaitForJobChange` at a time. They do nothing but wait, so they do not count as clients; each holds a
/// socket here and a waiting task in the master.
const MAX_WAITS: usize = 256;
/// How long connecting is tried while the master's queue of connections is full.
const BUSY: Duration = Duration::from_secs(5);

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
    pub(crate) async fn read(&self, method: Method, args: &Value) -> Result<Vec<u8>, Error> {
        let _turn = self.calls.acquire().await.map_err(|_| closed(method))?;
        if let Some(mut client) = self.take() {
            match client.call_raw(method, args).await {
                Ok(answer) => {
                    self.put(client);
                    return Ok(answer);
                }
                Err(Error::Closed { .. } | Error::Io(_)) => self.forget(),
                Err(error) => return Err(error),
            }
        }
        let mut client = self.connect().await?;
        let answer = client.call_raw(method, args).await?;
        self.put(client);
        Ok(answer)
    }

    /// Changes something, once: never asked again, as it may have been done.
    pub(crate) async fn write(&self, method: Method, args: &Value) -> Result<Value, Error> {
        let _turn = self.calls.acquire().await.map_err(|_| closed(method))?;
        self.connect().await?.call(method, args).await
    }

    /// Waits for a job to change.
    pub(crate) async fn wait(&self, args: &Value) -> Result<Value, Error> {
        let _turn = self.waits.acquire().await.map_err(|_| closed(Method::WaitForJobChange))?;
        self.connect().await?.call(Method::WaitForJobChange, args).await
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
