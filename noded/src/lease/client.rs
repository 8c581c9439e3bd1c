//! The agent's side: speaks to the keeper, and starts one where there is none.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use gannet_core::paths::Paths;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::Instant;
use tonic::Status;

use super::message::{Answer, Guest, Request};
use super::state::Grant;
use crate::run;

/// How long a keeper may take to be there.
const START_LIMIT: Duration = Duration::from_secs(5);
/// How long it may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Between two tries.
const RETRY: Duration = Duration::from_millis(50);
/// A start waits for a lease so long: automatic failover may just have been switched on, or the master be another one.
const LEASE_LIMIT: Duration = Duration::from_secs(12);

/// Why the keeper did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None is there, and none came.
    #[error("the keeper of the lease does not answer on {socket}: {source}", socket = socket.display())]
    Absent {
        socket: PathBuf,
        #[source]
        source: io::Error,
    },
    /// It could not be started.
    #[error("the keeper of the lease cannot be started: {0}")]
    Start(#[source] run::Error),
    /// It would be killed together with the agent.
    #[error("the keeper of the lease does not run: on a machine with systemd, do `systemctl enable --now gannet-lease-keeper`")]
    NeedsUnit,
}

/// Permission to start a guest, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    /// The keeper sees its end.
    _stream: Option<BufReader<UnixStream>>,
}

/// Speaks to the keeper of this node.
#[derive(Debug, Clone)]
pub struct Client {
    paths: Paths,
}

impl Client {
    /// Speaks to nobody yet.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self { paths: paths.clone() }
    }

    /// Renews the lease, and changes who is guarded.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn renew(&self, grant: Option<Grant>, guard: Vec<Guest>, release: Vec<String>) -> Result<Answer, Error> {
        let stream = self.connect_or_start().await?;
        self.exchange(stream, &Request::Renew { grant, guard, release }).await.map(|(answer, _)| answer)
    }

    /// Asks whether `guest` may be started now, and waits for a lease for a while. A guest that nobody guards needs no permission.
    ///
    /// # Errors
    /// When there is no lease.
    pub async fn permit(&self, guest: Option<Guest>, node: &str) -> Result<Permit, Status> {
        let Some(guest) = guest else { return Ok(Permit { _stream: None }) };
        let deadline = Instant::now() + LEASE_LIMIT;
        loop {
            let why = match self.begin(guest.clone()).await {
                Ok((answer, stream)) if answer.refused.is_empty() => return Ok(Permit { _stream: Some(stream) }),
                Ok((answer, _)) => answer.refused,
                Err(error) => error.to_string(),
            };
            if Instant::now() >= deadline {
                return Err(Status::aborted(format!(
                    "instance {} has automatic failover and may run on node {node} only under a lease: {why}; the master renews leases \
                     of nodes that it reaches, see its log (or switch it off: `gnt-instance add-tags {} {}no`)",
                    guest.name,
                    guest.name,
                    gannet_core::auto_failover::PREFIX
                )));
            }
            tokio::time::sleep(RETRY * 4).await;
        }
    }

    async fn begin(&self, guest: Guest) -> Result<(Answer, BufReader<UnixStream>), Error> {
        let stream = self.connect_or_start().await?;
        self.exchange(stream, &Request::Begin { guest }).await
    }

    async fn exchange(&self, stream: UnixStream, request: &Request) -> Result<(Answer, BufReader<UnixStream>), Error> {
        let failed = |source| Error::Absent { socket: self.paths.lease_socket(), source };
        let talk = async {
            let mut stream = BufReader::new(stream);
            let mut text = serde_json::to_string(request).map_err(io::Error::other)?;
            text.push('\n');
            stream.write_all(text.as_bytes()).await?;
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let answer = serde_json::from_str(&line).map_err(io::Error::other)?;
            Ok((answer, stream))
        };
        match tokio::time::timeout(ANSWER_LIMIT, talk).await {
            Ok(result) => result.map_err(failed),
            Err(_) => Err(failed(io::ErrorKind::TimedOut.into())),
        }
    }

    async fn connect_or_start(&self) -> Result<UnixStream, Error> {
        let socket = self.paths.lease_socket();
        if let Ok(stream) = UnixStream::connect(&socket).await {
            return Ok(stream);
        }
        if is_of_systemd() {
            return Err(Error::NeedsUnit);
        }
        tracing::info!("starting the keeper of the lease");
        run::detach(&["lease-keeper"]).map_err(Error::Start)?;
        let deadline = Instant::now() + START_LIMIT;
        loop {
            match UnixStream::connect(&socket).await {
                Ok(stream) => return Ok(stream),
                Err(source) if Instant::now() >= deadline => return Err(Error::Absent { socket, source }),
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }
}

/// Whether this process is the main one of a systemd service: what it starts ends with it then.
fn is_of_systemd() -> bool {
    std::env::var("SYSTEMD_EXEC_PID").is_ok_and(|pid| pid == std::process::id().to_string())
}
