//! Connections: frames in, answers out, in order.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use bytes::buf::Chain;
use bytes::{Buf, Bytes};
use gannet_core::error::{STATE_UNAVAILABLE, WireError};
use gannet_core::luxi::{END_OF_MESSAGE, MAX_MESSAGE, Method, Origin, Request, encode_failure, take_message};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::sync::watch;

use super::methods;
use crate::master::Master;
use crate::standby::{Connection, Reply, Standby};

/// Bytes that are read at a time.
const CHUNK: usize = 16 << 10;

/// From the lead to an active master, with jobs by the hundred thousand.
const BEGIN_LIMIT: Duration = Duration::from_secs(60);

/// The answer to a request.
pub(crate) enum Answer {
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
pub(crate) type Frame = Chain<Chain<Bytes, Bytes>, &'static [u8]>;

/// Who answers on this node.
#[derive(Clone)]
pub(crate) enum Desk {
    /// Another node is the master, or none.
    Standby(Arc<Standby>),
    /// This one.
    Active(Arc<Master>),
}

/// An outcome as bytes; without an origin it is the word of a master that is sure of itself.
pub(crate) fn frame_of(outcome: Result<Answer, WireError>, origin: Option<&Origin>) -> Frame {
    let json = match outcome {
        Ok(Answer::Value(value)) => value.to_string().into(),
        Ok(Answer::Json(json)) => json,
        Err(error) => return refusal(&error, origin),
    };
    const END: &[u8] = &[b'}', END_OF_MESSAGE];
    let head = match origin {
        None => Bytes::from_static(br#"{"success":true,"result":"#),
        Some(origin) => {
            let mut head = origin.prefix();
            head.extend_from_slice(br#""success":true,"result":"#);
            head.into()
        }
    };
    head.chain(json).chain(END)
}

/// A refusal as bytes.
pub(crate) fn refusal(error: &WireError, origin: Option<&Origin>) -> Frame {
    let mut failure = Bytes::from(encode_failure(error));
    let head = origin.map_or_else(Bytes::new, |origin| {
        failure.advance(1);
        origin.prefix().into()
    });
    head.chain(failure).chain(&[][..])
}

/// The master's answer, without its end mark, as this node passes it on.
pub(crate) fn passed_on(answer: Vec<u8>, origin: &Origin) -> Frame {
    let mut answer = Bytes::from(answer);
    answer.advance(1.min(answer.len()));
    Bytes::from(origin.prefix()).chain(answer).chain(&[END_OF_MESSAGE])
}

/// Serves `listener` until `shutdown`.
pub(crate) async fn serve(desk: watch::Receiver<Desk>, listener: UnixListener, shutdown: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(connection(desk.clone(), stream, shutdown.clone()));
                }
                // Out of descriptors, most likely: others close theirs meanwhile.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a client");
                    tokio::time::sleep(Duration::from_millis(50)).await;
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

/// Answers the requests of one client, in their order.
pub(crate) async fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    mut desk: watch::Receiver<Desk>,
    mut stream: S,
    shutdown: watch::Receiver<bool>,
) {
    let mut received = Vec::new();
    let mut upstream = None;
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
        let answer = tokio::select! {
            answer = answer(&mut desk, &mut upstream, &message) => answer,
            () = ended(shutdown.clone()) => return,
        };
        let Some(mut bytes) = answer else { return };
        if stream.write_all_buf(&mut bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

async fn next_message<S: AsyncRead + Unpin>(stream: &mut S, received: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
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

/// `None`: nobody knows the answer, and the connection is to be closed.
async fn answer(desk: &mut watch::Receiver<Desk>, upstream: &mut Option<Connection>, message: &[u8]) -> Option<Frame> {
    let wrong = |text: String| Some(refusal(&WireError::new("GenericError", text), None));
    let request: Request = match serde_json::from_slice(message) {
        Ok(request) => request,
        Err(error) => return wrong(format!("Cannot parse the request: {error}")),
    };
    let Some(method) = Method::parse(&request.method) else { return wrong(format!("Invalid method '{}'", request.method)) };
    let span = tracing::debug_span!("luxi", method = request.method);
    tracing::Instrument::instrument(Box::pin(ask(desk, upstream, method, request.args, message)), span).await
}

async fn ask(
    desk: &mut watch::Receiver<Desk>,
    upstream: &mut Option<Connection>,
    method: Method,
    args: serde_json::Value,
    message: &[u8],
) -> Option<Frame> {
    let now = desk.borrow_and_update().clone();
    let master = match now {
        Desk::Active(master) => master,
        Desk::Standby(standby) => match standby.answer(upstream, method, &args, message).await {
            Reply::Frame(frame) => return Some(frame),
            Reply::Unknown => return None,
            Reply::Leads => match tokio::time::timeout(BEGIN_LIMIT, active(desk)).await {
                Ok(Some(master)) => master,
                Ok(None) | Err(_) => {
                    let text = "This node leads, but its master daemon has not taken over in time; its log says why";
                    return Some(refusal(&WireError::new(STATE_UNAVAILABLE, text), None));
                }
            },
        },
    };
    let outcome = methods::call(&master, method, args).await;
    Some(frame_of(outcome, doubtful(&master).as_ref()))
}

/// The active master of this node, once there is one.
async fn active(desk: &mut watch::Receiver<Desk>) -> Option<Arc<Master>> {
    let now = desk.wait_for(|desk| matches!(desk, Desk::Active(_))).await.ok()?;
    match &*now {
        Desk::Active(master) => Some(master.clone()),
        Desk::Standby(_) => None,
    }
}

/// What has to be said of the answers of a master that may be none any more.
fn doubtful(master: &Master) -> Option<Origin> {
    let old = master.doubt()?.to_string();
    let name = master.store().state().config.master().map(|node| node.name.to_string()).unwrap_or_default();
    Some(Origin { node: name.clone(), master: Some(name), old: Some(old) })
}

#[cfg(test)]
mod tests {
    use gannet_core::luxi::{decode_response, take_origin};
    use serde_json::json;

    use super::*;

    fn bytes(mut frame: Frame) -> Vec<u8> {
        let mut bytes = frame.copy_to_bytes(frame.remaining()).to_vec();
        assert_eq!(bytes.pop(), Some(END_OF_MESSAGE));
        bytes
    }

    #[test]
    fn frames_have_their_origin_in_front() {
        let origin = Origin { node: "node2".into(), master: None, old: Some("alone".into()) };
        let error = || WireError::new("GenericError", "no");
        let plain = bytes(frame_of(Ok(Answer::Value(json!(7))), None));
        assert_eq!(plain, br#"{"success":true,"result":7}"#);
        for frame in [frame_of(Ok(Answer::Value(json!(7))), Some(&origin)), passed_on(plain.clone(), &origin)] {
            let mut marked = bytes(frame);
            assert_eq!(take_origin(&mut marked).unwrap(), Some(origin.clone()));
            assert_eq!(marked, plain);
        }
        let mut refused = bytes(frame_of(Err(error()), Some(&origin)));
        assert_eq!(take_origin(&mut refused).unwrap(), Some(origin));
        assert_eq!(refused, bytes(refusal(&error(), None)));
        assert!(decode_response(&refused).is_err());
    }
}
