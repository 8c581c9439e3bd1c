//! A serial console over the network.

use futures::StreamExt;
use gannet_proto::node::ConsoleChunk;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::hypervisor::Duplex;
use crate::pipe;
use crate::rpc::Reply;

/// Ties a caller to a console until either side ends. `first` is what the caller typed in its first message.
#[must_use]
pub fn attach(instance: String, first: Vec<u8>, inbound: Streaming<ConsoleChunk>, local: Box<dyn Duplex>) -> Reply<ConsoleChunk> {
    let (outbound, chunks) = mpsc::channel(pipe::QUEUE);
    let typed = inbound.map(|message| message.map(|chunk| chunk.data));
    let typed = futures::stream::iter((!first.is_empty()).then_some(Ok(first))).chain(typed);
    tokio::spawn(async move {
        tracing::debug!(instance, "console opened");
        if let Err(error) = pipe::copy(Box::pin(typed), outbound, local).await {
            tracing::debug!(instance, %error, "a console ended");
        }
    });
    Box::pin(ReceiverStream::new(chunks).map(|data| Ok(ConsoleChunk { instance: None, data })))
}
