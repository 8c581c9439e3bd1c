//! A connection from this candidate to the master.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::luxi::{END_OF_MESSAGE, MAX_MESSAGE, take_message};
use gannet_core::paths::RELAY_PORT;
use gannet_daemon::net::{self, Stream};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::view::Leader;

/// TCP and TLS together. A master that needs longer is as good as gone.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// Bytes that are read at a time.
const CHUNK: usize = 64 << 10;

/// A connection. A question that was given up leaves it unusable: drop it.
pub(crate) struct Upstream {
    stream: TlsStream<Stream>,
    received: Vec<u8>,
    to: Leader,
}

impl Upstream {
    /// Connects to the master.
    pub(super) async fn connect(leader: &Leader, tls: Arc<ClientConfig>) -> io::Result<Self> {
        let connect = async {
            let name = ServerName::try_from(leader.name.clone()).map_err(io::Error::other)?;
            let stream = net::connect(SocketAddr::new(leader.address, RELAY_PORT)).await?;
            let stream = TlsConnector::from(tls).connect(name, stream).await?;
            Ok(Self { stream, received: Vec::new(), to: leader.clone() })
        };
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {} s", CONNECT_LIMIT.as_secs()));
        tokio::time::timeout(CONNECT_LIMIT, connect).await.map_err(late)?
    }

    /// Whether it leads to this master in this term of its.
    pub(super) fn leads_to(&self, leader: &Leader) -> bool {
        self.to == *leader
    }

    /// Asks, and waits for the answer (without its end mark).
    pub(super) async fn ask(&mut self, message: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(message).await?;
        self.stream.write_all(&[END_OF_MESSAGE]).await?;
        self.stream.flush().await?;
        let mut searched = 0;
        loop {
            if let Some(message) = take_message(&mut self.received, &mut searched) {
                return Ok(message);
            }
            if searched > MAX_MESSAGE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("an answer of more than {MAX_MESSAGE} bytes")));
            }
            self.received.reserve(CHUNK);
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
