//! Connections: accepting, TLS, HTTP/1.1, and the limits that keep one client from hurting others.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::api::Api;
use crate::stall::Stall;

/// What a connection may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time; more wait in the system's queue.
    pub connections: usize,
    /// How long the TLS handshake may take.
    pub handshake: Duration,
    /// How long a request's head may take to come; also how long a kept connection may be silent.
    pub head: Duration,
    /// How long a client may take to read some of its answer.
    pub write: Duration,
    /// How long requests may go on after the daemon was asked to end.
    pub ending: Duration,
}

/// The largest head of a request, in bytes.
const MAX_HEAD: usize = 64 << 10;

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(60),
            write: Duration::from_secs(60),
            ending: Duration::from_secs(5),
        }
    }
}

/// The TLS settings of new connections; they can be replaced while the server runs. `None` is HTTP without TLS.
#[derive(Debug, Clone)]
pub struct Security(Arc<RwLock<Option<Arc<ServerConfig>>>>);

impl Security {
    /// Starts with `config`.
    #[must_use]
    pub fn new(config: Option<Arc<ServerConfig>>) -> Self {
        Self(Arc::new(RwLock::new(config)))
    }

    /// Uses `config` for connections from now on.
    pub fn replace(&self, config: Arc<ServerConfig>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(config);
    }

    fn acceptor(&self) -> Option<TlsAcceptor> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone().map(TlsAcceptor::from)
    }
}

/// Serves until `ending` is done, then lets running requests end.
pub async fn serve(api: Arc<Api>, listener: TcpListener, security: Security, limits: Limits, ending: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopped) = watch::channel(false);
    tokio::pin!(ending);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut ending => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // out of file descriptors, mostly: connections that end free some
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (api, acceptor, stopped) = (api.clone(), security.acceptor(), stopped.clone());
        tokio::spawn(async move {
            secure(api, stream, peer, acceptor, limits, stopped).await;
            drop(place);
        });
    }
    drop(listener);
    drop(stopped);
    let _ = stop.send(true);
    if timeout(limits.ending, stop.closed()).await.is_err() {
        tracing::info!("requests that were still running were cut off");
    }
}

/// The next connection, when there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

async fn secure(
    api: Arc<Api>,
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    limits: Limits,
    stopped: watch::Receiver<bool>,
) {
    // answers are written whole: waiting for more to send only delays them
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "no TCP_NODELAY");
    }
    let Some(acceptor) = acceptor else { return connection(api, stream, peer, limits, stopped).await };
    match timeout(limits.handshake, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => connection(api, stream, peer, limits, stopped).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS"),
        Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
    }
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send>(
    api: Arc<Api>,
    stream: S,
    peer: SocketAddr,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(|request| {
        let api = api.clone();
        async move { Ok::<_, Infallible>(api.answer(request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(MAX_HEAD);
    let served = http.serve_connection(TokioIo::new(Stall::new(stream, limits.write)), service);
    tokio::pin!(served);
    // an error means that the server is gone, which is an end too
    let stop = async { drop(stopped.wait_for(|stopped| *stopped).await) };
    let ended = tokio::select! {
        ended = &mut served => ended,
        () = stop => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended badly");
    }
}
