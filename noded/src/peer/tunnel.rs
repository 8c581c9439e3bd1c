//! The source's end of a tunnel to the hypervisor of another node.

use async_trait::async_trait;
use futures::StreamExt;
use gannet_proto::node::{Bytes, MigrationPrepareReply};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::with_ticket;
use crate::context::Context;
use crate::hypervisor::{Duplex, Error, Tunnel};
use crate::pipe;

/// Bytes that wait inside this process before the writer has to.
const BUFFER: usize = 256 * 1024;

/// Opens the tunnel that the target prepared.
pub struct PeerTunnel {
    context: Context,
    node: String,
    target: MigrationPrepareReply,
}

impl PeerTunnel {
    /// To the target of a migration.
    #[must_use]
    pub fn new(context: Context, node: &str, target: MigrationPrepareReply) -> Self {
        Self { context, node: node.to_owned(), target }
    }
}

#[async_trait]
impl Tunnel for PeerTunnel {
    async fn open(&self) -> Result<Box<dyn Duplex>, Error> {
        let connected = self.context.peers.connect(&self.node, &self.target.tunnel_address).await;
        let mut peer = connected.map_err(|error| Error::Unavailable(chain(&error)))?;
        let (outbound, chunks) = mpsc::channel::<Vec<u8>>(pipe::QUEUE);
        let chunks = ReceiverStream::new(chunks).map(|data| {
            gannet_daemon::fault::point("a piece of a guest on its way");
            Bytes { data }
        });
        let refused = |status: tonic::Status| Error::Failed(format!("node {} refused the tunnel: {}", self.node, status.message()));
        let request = with_ticket(chunks, &self.target.ticket).map_err(refused)?;
        let inbound = peer.tunnel(request).await.map_err(refused)?.into_inner();
        let (near, far) = tokio::io::duplex(BUFFER);
        tokio::spawn(async move {
            let inbound = inbound.map(|message| message.map(|bytes| bytes.data));
            if let Err(error) = pipe::copy(inbound, outbound, Box::new(far)).await {
                tracing::debug!(%error, "a tunnel ended");
            }
        });
        Ok(Box::new(near))
    }
}

/// The error and its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
