//! Console sessions: a UNIX socket for each, over which the master relays bytes between the operator and the node.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::id::NodeUuid;
use gannet_proto::node::{ConsoleChunk, InstanceRef};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio_stream::wrappers::ReceiverStream;

use crate::master::Master;
use crate::refusal::Failure;

/// A socket that nobody opens goes away after this time.
const UNUSED_LIMIT: Duration = Duration::from_secs(60);
/// Bytes that are read at a time.
const CHUNK: usize = 4096;
/// Chunks under way to the node: typing is slow, pasting is bounded.
const QUEUE: usize = 16;

/// Opens a session and gives the path of its socket, which only root can use. It serves one connection and is removed then.
///
/// # Errors
/// When the socket cannot be made.
pub async fn open(master: &Arc<Master>, node: &NodeUuid, instance: InstanceRef) -> Result<PathBuf, Failure> {
    let path = master.paths().socket_dir().join(format!("console-{}", uuid::Uuid::new_v4().simple()));
    let failed = |error: std::io::Error| Failure::other(format!("Cannot make the console socket {}: {error}", path.display()));
    let listener = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let (master, node, socket) = (master.clone(), node.clone(), path.clone());
    tokio::spawn(async move {
        let accepted = tokio::time::timeout(UNUSED_LIMIT, listener.accept()).await;
        drop(listener);
        let _ = std::fs::remove_file(&socket);
        if let Ok(Ok((stream, _))) = accepted {
            relay(&master, &node, instance, stream).await;
        }
    });
    Ok(path)
}

async fn relay(master: &Master, node: &NodeUuid, instance: InstanceRef, stream: UnixStream) {
    let (mut from_operator, mut to_operator) = stream.into_split();
    let (sender, receiver) = tokio::sync::mpsc::channel(QUEUE);
    let name = instance.name.clone();
    let first = ConsoleChunk { instance: Some(instance), data: Vec::new() };
    // The receiver is alive: it is in this function.
    let _ = sender.send(first).await;
    let handle = match master.node(node) {
        Ok(handle) => handle,
        Err(error) => return complain(&mut to_operator, &error.to_string()).await,
    };
    let mut output = match handle.console(ReceiverStream::new(receiver)).await {
        Ok(output) => output,
        Err(error) => return complain(&mut to_operator, &error.to_string()).await,
    };
    let upward = async {
        let mut buffer = vec![0; CHUNK];
        while let Ok(count @ 1..) = from_operator.read(&mut buffer).await {
            if sender.send(ConsoleChunk { instance: None, data: buffer[..count].to_vec() }).await.is_err() {
                return;
            }
        }
    };
    let downward = async {
        loop {
            match output.message().await {
                Ok(Some(chunk)) => {
                    if to_operator.write_all(&chunk.data).await.is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(status) => return complain(&mut to_operator, status.message()).await,
            }
        }
    };
    tokio::select! {
        () = upward => {}
        () = downward => {}
    }
    tracing::debug!(instance = name, "a console session ended");
}

async fn complain(to_operator: &mut tokio::net::unix::OwnedWriteHalf, text: &str) {
    let _ = to_operator.write_all(format!("\r\n{text}\r\n").as_bytes()).await;
}
