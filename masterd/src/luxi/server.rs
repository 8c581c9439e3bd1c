//! Connections: frames in, answers out, in order.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use bytes::buf::Chain;
use bytes::{Buf, Bytes};
use gannet_core::error::WireError;
use gannet_core::luxi::{END_OF_MESSAGE, MAX_MESSAGE, Method, Request, encode_failure, take_message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::methods;
use crate::master::Master;

/// Bytes that are read at a time.
const CHUNK: usize = 16 << 10;

/// The answer to a request.
pub(super) enum Answer {
    /// A value.
    Value(serde_json::Value),
    /// JSON text that is sent as it is.
    Json(Bytes),
}

impl From<String> for Answer {
    fn from(json: String) -> Self {
        Self::Json(json.into())
    }
}

/// An answer as bytes. Its three parts are sent together; a long text is not copied for it.
type Frame = Chain<Chain<&'static [u8], Bytes>, &'static [u8]>;

impl Answer {
    fn encode(self) -> Frame {
        let json = match self {
            Self::Value(value) => value.to_string().into(),
            Self::Json(json) => json,
        };
        const END: &[u8] = &[b'}', END_OF_MESSAGE];
        Buf::chain(&br#"{"success":true,"result":"#[..], json).chain(END)
    }
}

fn refusal(error: &WireError) -> Frame {
    Buf::chain(&[][..], Bytes::from(encode_failure(error))).chain(&[][..])
}

/// Serves `listener` until `shutdown`.
pub async fn serve(master: Arc<Master>, listener: UnixListener, shutdown: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(connection(master.clone(), stream, shutdown.clone()));
                }
                // Out of descriptors, most likely: others close theirs meanwhile.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a client");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            },
            () = ended(shutdown.clone()) => return,
        }
    }
}

/// Resolves when the daemon ends.
async fn ended(mut shutdown: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the daemon.
    let _ = shutdown.wait_for(|end| *end).await;
}

/// Listens on `socket`; from then on clients can connect, and wait until they are served. An older socket file is replaced.
///
/// # Errors
/// When the socket cannot be made.
pub fn bind(socket: &Path) -> io::Result<UnixListener> {
    if let Some(directory) = socket.parent() {
        fs::create_dir_all(directory)?;
    }
    // Bound under another name and renamed, so that a client never finds a socket that nobody listens on.
    let temporary = socket.with_extension("new");
    let _ = fs::remove_file(&temporary);
    let listener = UnixListener::bind(&temporary)?;
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o660))?;
    fs::rename(&temporary, socket)?;
    Ok(listener)
}

async fn connection(master: Arc<Master>, mut stream: UnixStream, shutdown: watch::Receiver<bool>) {
    let mut received = Vec::new();
    loop {
        let message = tokio::select! {
            message = next_message(&mut stream, &mut received) => message,
            () = ended(shutdown.clone()) => return,
        };
        let message = match message {
            Ok(Some(message)) => message,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%error, "a client's connection broke");
                return;
            }
        };
        let mut bytes = tokio::select! {
            bytes = answer(&master, &message) => bytes,
            () = ended(shutdown.clone()) => return,
        };
        if stream.write_all_buf(&mut bytes).await.is_err() {
            return;
        }
    }
}

async fn next_message(stream: &mut UnixStream, received: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let mut searched = 0;
    loop {
        if let Some(message) = take_message(received, &mut searched) {
            return Ok(Some(message));
        }
        if searched > MAX_MESSAGE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a request is too large"));
        }
        received.reserve(CHUNK);
        if stream.read_buf(received).await? == 0 {
            return Ok(None);
        }
    }
}

async fn answer(master: &Arc<Master>, message: &[u8]) -> Frame {
    let request: Request = match serde_json::from_slice(message) {
        Ok(request) => request,
        Err(error) => return refusal(&WireError::new("GenericError", format!("Cannot parse the request: {error}"))),
    };
    let Some(method) = Method::parse(&request.method) else {
        return refusal(&WireError::new("GenericError", format!("Invalid method '{}'", request.method)));
    };
    let span = tracing::debug_span!("luxi", method = request.method);
    match tracing::Instrument::instrument(Box::pin(methods::call(master, method, request.args)), span).await {
        Ok(answer) => answer.encode(),
        Err(error) => refusal(&error),
    }
}
