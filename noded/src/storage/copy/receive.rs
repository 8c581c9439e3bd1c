//! The receiving end.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use gannet_core::paths::Paths;
use gannet_proto::node::{DiskChunk, DiskReceived, DiskRef};
use tonic::Status;

use super::{Sum, Target};
use crate::storage::{Error, blocking, open};

/// Writes the chunks to `disk` of this node. The sender has shown its ticket for it.
///
/// # Errors
/// When the stream breaks off, its digest is wrong, its length does not fit, or the disk cannot be written. The disk is
/// as before then.
pub async fn receive(
    paths: &Paths,
    disk: &DiskRef,
    mut chunks: impl Stream<Item = Result<DiskChunk, Status>> + Unpin + Send,
) -> Result<DiskReceived, Error> {
    let broken = |reason: String| Error::Copy { disk: disk.uuid.clone(), reason };
    let device = open(paths, disk)?;
    let mut target = Arc::new(blocking(move || device.target()).await?);
    let mut sum = Sum::default();
    let mut bytes = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|status| broken(format!("the sender broke off: {}", status.message())))?;
        if chunk.last {
            let digest = sum.finish(chunk.offset);
            if digest != chunk.sha256 {
                return Err(broken(format!("what arrived has digest {digest}, what was sent {}", chunk.sha256)));
            }
            let target = Arc::try_unwrap(target).map_err(|_| broken("the last chunk is still being written".to_owned()))?;
            blocking(move || target.commit(chunk.offset)).await?;
            return Ok(DiskReceived { bytes, sha256: digest });
        }
        sum.add(chunk.offset, &chunk.data);
        bytes += chunk.data.len() as u64;
        target = write(target, chunk).await?;
    }
    Err(broken("the sender ended without a last chunk".to_owned()))
}

/// Hands the target over to the blocking work and back.
async fn write(target: Arc<Target>, chunk: DiskChunk) -> Result<Arc<Target>, Error> {
    blocking(move || target.write(chunk.offset, &chunk.data).map(|()| target)).await
}
