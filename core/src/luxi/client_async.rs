//! The asynchronous client of gannet-rapi.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::{ANSWER_TIMEOUT_S, Error, MAX_MESSAGE, Method, Origin, decode_response, encode_request, take_message, take_origin};

/// A connection to the master daemon. A call that fails, or is dropped half-way, leaves it unusable: connect again.
#[derive(Debug)]
pub struct AsyncClient {
    stream: UnixStream,
    received: Vec<u8>,
    origin: Option<Origin>,
}

impl AsyncClient {
    /// Connects to the LUXI socket at `socket`.
    ///
    /// # Errors
    /// [`Error::NoMaster`], [`Error::Permission`].
    pub async fn connect(socket: &Path) -> Result<Self, Error> {
        match UnixStream::connect(socket).await {
            Ok(stream) => Ok(Self { stream, received: Vec::new(), origin: None }),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Error::Permission { socket: socket.display().to_string() }),
            Err(source) => Err(Error::NoMaster { socket: socket.display().to_string(), source }),
        }
    }

    /// Calls `method`; waits at most [`ANSWER_TIMEOUT_S`].
    ///
    /// # Errors
    /// [`Error`]; [`Error::Remote`] when the daemon refused.
    pub async fn call(&mut self, method: Method, args: &Value) -> Result<Value, Error> {
        let bytes = self.call_raw(method, args).await?;
        decode_response(&bytes)
    }

    /// Calls `method` and gives the answer's bytes as they came (without the terminator and its origin).
    ///
    /// # Errors
    /// [`Error`], but never [`Error::Remote`]: the answer is not looked into.
    pub async fn call_raw(&mut self, method: Method, args: &Value) -> Result<Vec<u8>, Error> {
        let name = method.as_str();
        let exchange = async {
            self.stream.write_all(&encode_request(name, args)).await.map_err(|_| Error::Closed { method: name.to_owned() })?;
            self.read_message(name).await
        };
        let mut answer = match tokio::time::timeout(Duration::from_secs(ANSWER_TIMEOUT_S), exchange).await {
            Ok(result) => result?,
            Err(_) => return Err(Error::Timeout { method: name.to_owned(), seconds: ANSWER_TIMEOUT_S }),
        };
        self.origin = take_origin(&mut answer)?;
        Ok(answer)
    }

    /// Where the last answer came from; none: from the master, which is sure of itself.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    async fn read_message(&mut self, method: &str) -> Result<Vec<u8>, Error> {
        let mut searched = 0;
        loop {
            if let Some(message) = take_message(&mut self.received, &mut searched) {
                return Ok(message);
            }
            if searched > MAX_MESSAGE {
                return Err(Error::Protocol(format!("an answer of more than {MAX_MESSAGE} bytes")));
            }
            self.received.reserve(64 << 10);
            match self.stream.read_buf(&mut self.received).await {
                Ok(0) => return Err(Error::Closed { method: method.to_owned() }),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                    return Err(Error::Closed { method: method.to_owned() });
                }
                Err(error) => return Err(Error::Io(error)),
            }
        }
    }
}
