//! The sending end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gannet_core::paths::Paths;
use gannet_proto::node::{CopyProgress, DiskChunk, DiskReceived, DiskRef};
use nix::errno::Errno;
use nix::unistd::{Whence, lseek};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{CHUNK, Sum};
use crate::storage::{Error, blocking, open};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// Chunks that may wait for the network.
const QUEUE: usize = 4;

/// Sends `disk` of this node through `call`, which brings a stream of chunks to the other node and returns its answer.
/// Progress goes to `progress`; when nobody listens any more, the copy is given up.
///
/// # Errors
/// When the disk cannot be read, the other node refuses or breaks off, or the two digests differ.
pub async fn send<Call, Answer>(
    paths: &Paths,
    disk: &DiskRef,
    progress: &mpsc::Sender<CopyProgress>,
    call: Call,
) -> Result<CopyProgress, Error>
where
    Call: FnOnce(ReceiverStream<DiskChunk>) -> Answer,
    Answer: Future<Output = Result<DiskReceived, tonic::Status>>,
{
    let broken = |reason: String| Error::Copy { disk: disk.uuid.clone(), reason };
    let device = open(paths, disk)?;
    let path = device.path().map(Path::to_owned).unwrap_or_default();
    let (file, total) = blocking(move || {
        let file = device.source()?;
        let total = file.metadata().map_err(Error::io("look at", &path))?.len();
        Ok((file, total))
    })
    .await?;
    let (chunks, queue) = mpsc::channel(QUEUE);
    let position = Arc::new(AtomicU64::new(0));
    let reader = gannet_daemon::work::spawn({
        let position = Arc::clone(&position);
        move || read(&file, total, &position, &chunks)
    });
    let told = async {
        let mut every = tokio::time::interval(TELL_EVERY);
        loop {
            every.tick().await;
            let copied_bytes = position.load(Ordering::Relaxed);
            if progress.send(CopyProgress { copied_bytes, total_bytes: total, ..CopyProgress::default() }).await.is_err() {
                return;
            }
        }
    };
    let answer = tokio::select! {
        answer = call(ReceiverStream::new(queue)) => answer,
        () = told => return Err(broken("the caller went away".to_owned())),
    };
    // When the other node refuses, the reader ends by itself: nobody takes its chunks any more.
    let received = answer.map_err(|status| broken(format!("the other node says: {}", status.message())));
    let sent = reader.await.map_err(|error| broken(format!("reading broke off: {error}")))?;
    let (received, sent) = match (received, sent) {
        (Ok(received), Ok(Some(sent))) => (received, sent),
        (Err(error), Ok(_)) => return Err(error),
        (_, Err(source)) => return Err(broken(format!("cannot read the disk: {source}"))),
        (Ok(_), Ok(None)) => return Err(broken("the other node answered before it had everything".to_owned())),
    };
    if received.sha256 != sent {
        return Err(broken(format!("the other node has digest {}, sent was {sent}", received.sha256)));
    }
    Ok(CopyProgress { copied_bytes: total, total_bytes: total, finished: true, error: String::new(), sha256: sent })
}

/// Reads all data and gives the digest; `None` when nobody takes the chunks any more. Blocks.
fn read(file: &File, total: u64, position: &AtomicU64, chunks: &mpsc::Sender<DiskChunk>) -> io::Result<Option<String>> {
    let mut sum = Sum::default();
    let mut at = 0;
    while let Some((start, end)) = next_data(file, at, total)? {
        at = start;
        while at < end {
            let mut data = vec![0; usize::try_from(end - at).map_or(CHUNK, |rest| rest.min(CHUNK))];
            file.read_exact_at(&mut data, at)?;
            let (offset, length) = (at, data.len() as u64);
            if data.iter().any(|byte| *byte != 0) {
                sum.add(offset, &data);
                if chunks.blocking_send(DiskChunk { offset, data, ..DiskChunk::default() }).is_err() {
                    return Ok(None);
                }
            }
            at += length;
            position.store(at, Ordering::Relaxed);
        }
    }
    let digest = sum.finish(total);
    let last = DiskChunk { offset: total, last: true, sha256: digest.clone(), ..DiskChunk::default() };
    Ok(chunks.blocking_send(last).is_ok().then_some(digest))
}

/// The next stretch that is not a hole, from `at` on. File systems that do not tell holes have one stretch.
fn next_data(file: &File, at: u64, total: u64) -> io::Result<Option<(u64, u64)>> {
    if at >= total {
        return Ok(None);
    }
    let from = i64::try_from(at).map_err(io::Error::other)?;
    let start = match lseek(file, from, Whence::SeekData) {
        Ok(start) => start,
        Err(Errno::ENXIO) => return Ok(None),
        Err(Errno::EINVAL | Errno::EOPNOTSUPP) => return Ok(Some((at, total))),
        Err(error) => return Err(error.into()),
    };
    let end = lseek(file, start, Whence::SeekHole)?;
    let unsigned = |offset: i64| u64::try_from(offset).map_err(io::Error::other);
    Ok(Some((unsigned(start)?, unsigned(end)?.min(total))))
}
