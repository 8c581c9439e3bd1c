//! Bytes between a call that streams and something local (a socket, a console).

use futures::{Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tonic::Status;

use crate::hypervisor::Duplex;

/// Bytes in one message: large enough for a tunnel's speed, far below the message limit.
const CHUNK: usize = 64 * 1024;

/// Messages under way before the reader waits for the network.
pub const QUEUE: usize = 16;

/// Copies in both directions until one side ends: `inbound` to `local`, `local` to `outbound`.
///
/// # Errors
/// When one side breaks; an orderly end of either is none.
pub async fn copy<S>(inbound: S, outbound: mpsc::Sender<Vec<u8>>, local: Box<dyn Duplex>) -> Result<(), Status>
where
    S: Stream<Item = Result<Vec<u8>, Status>> + Send + Unpin,
{
    let (mut reader, mut writer) = tokio::io::split(local);
    let mut inbound = inbound;
    let to_local = async {
        while let Some(data) = inbound.next().await {
            writer.write_all(&data?).await.map_err(broken)?;
            writer.flush().await.map_err(broken)?;
        }
        Ok(())
    };
    let from_local = async {
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = reader.read(&mut buffer).await.map_err(broken)?;
            if read == 0 || outbound.send(buffer[..read].to_vec()).await.is_err() {
                return Ok(());
            }
        }
    };
    tokio::select! {
        result = to_local => result,
        result = from_local => result,
        () = outbound.closed() => Ok(()),
    }
}

#[allow(clippy::needless_pass_by_value)] // the shape that `map_err` wants
fn broken(error: std::io::Error) -> Status {
    Status::unavailable(format!("the connection broke: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_directions_then_the_end() {
        let (near, mut far) = tokio::io::duplex(64);
        let (to_local, inbound) = mpsc::channel(4);
        let (outbound, mut from_local) = mpsc::channel(4);
        let inbound = tokio_stream::wrappers::ReceiverStream::new(inbound);
        let copying = tokio::spawn(copy(inbound, outbound, Box::new(near)));
        to_local.send(Ok(b"ask".to_vec())).await.expect("the copy runs");
        let mut asked = [0; 3];
        far.read_exact(&mut asked).await.expect("read");
        assert_eq!(&asked, b"ask");
        far.write_all(b"answer").await.expect("write");
        assert_eq!(from_local.recv().await.as_deref(), Some(&b"answer"[..]));
        drop(far);
        copying.await.expect("no panic").expect("an orderly end");
    }
}
