//! Calls about disks and storage. What changes a disk runs to its end even when the caller goes away, one call per disk
//! at a time, so that the caller's next try finds either nothing or the whole.

use std::time::Duration;

use futures::Stream;
use gannet_core::quantity::Mib;
use gannet_proto::node::{
    CopyProgress, DiskAssembleReply, DiskAssembleRequest, DiskChunk, DiskCreateReply, DiskCreateRequest, DiskGrowRequest, DiskInfoReply,
    DiskInfoRequest, DiskReceivePrepareReply, DiskReceivePrepareRequest, DiskReceived, DiskRef, DiskRenameRequest, DiskSendRequest,
    DiskState, DiskWipeRequest, Empty, FileStorageDir, FileStorageDirRenameRequest, StorageListReply, StorageListRequest,
};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::Reply;
use crate::context::Context;
use crate::error::chain;
use crate::peer::with_ticket;
use crate::storage::{self, BlockDevice, Created, Error, InPlace, copy, dirs, list};
use crate::ticket::Purpose;

/// A copy that takes longer is given up, when the caller names no time (Ganeti: `RPC_TMO_1DAY`).
const COPY_TIMEOUT: Duration = Duration::from_secs(86_400);
/// Progress messages that may wait for the caller.
const PROGRESS_QUEUE: usize = 4;

/// The answer to a call about storage that failed.
pub(crate) fn status(context: &Context, error: &Error) -> Status {
    let text = format!("node {}: {}", context.node_name, error.chain());
    match error {
        Error::NotBuilt(_) => Status::unimplemented(text),
        Error::Invalid(_) => Status::invalid_argument(text),
        Error::Forbidden(_) => Status::permission_denied(text),
        Error::InTheWay { .. } => Status::already_exists(text),
        Error::Missing { .. } => Status::not_found(text),
        Error::NoSpace { .. } | Error::Full { .. } => Status::resource_exhausted(text),
        Error::Copy { .. } => Status::aborted(text),
        Error::Io { .. } | Error::Program { .. } => Status::internal(text),
    }
}

/// Does `work` with a disk as its only user, to the end.
async fn with_disk<T, Work, Answer>(context: &Context, disk: &DiskRef, work: Work) -> Result<T, Status>
where
    T: Send + 'static,
    Work: FnOnce(Box<dyn BlockDevice>) -> Answer + Send + 'static,
    Answer: Future<Output = Result<T, Error>> + Send + 'static,
{
    let device = storage::open(&context.paths, disk).map_err(|error| status(context, &error))?;
    let turn = context.instance_locks.lock(&lock_name(disk)).await;
    let task = tokio::spawn(async move {
        let result = work(device).await;
        drop(turn);
        result
    });
    match task.await {
        Ok(result) => result.map_err(|error| status(context, &error)),
        Err(error) => Err(Status::internal(format!("node {}: work on disk {} broke off: {error}", context.node_name, disk.uuid))),
    }
}

/// No instance is called like that: the slash.
fn lock_name(disk: &DiskRef) -> String {
    format!("disk/{}", disk.uuid)
}

/// Makes a disk.
pub async fn disk_create(context: &Context, request: DiskCreateRequest) -> Result<DiskCreateReply, Status> {
    let disk = given(request.disk)?;
    let place = if request.exclusive { InPlace::OnlyItself } else { InPlace::MayAdopt };
    let created = with_disk(context, &disk, move |device| async move { device.create(place).await }).await?;
    Ok(DiskCreateReply { existed: created == Created::Existed })
}

/// Removes a disk with its content.
pub async fn disk_remove(context: &Context, disk: DiskRef) -> Result<Empty, Status> {
    with_disk(context, &disk, |device| async move { device.remove().await }).await?;
    Ok(Empty {})
}

/// Makes a disk usable here.
pub async fn disk_assemble(context: &Context, request: DiskAssembleRequest) -> Result<DiskAssembleReply, Status> {
    let disk = given(request.disk)?;
    let instance = request.instance_name;
    let assembled = with_disk(context, &disk, move |device| async move { device.assemble(&instance).await }).await?;
    Ok(DiskAssembleReply { path: assembled.path, uri: assembled.uri })
}

/// Takes back what `disk_assemble` has made.
pub async fn disk_shutdown(context: &Context, disk: DiskRef) -> Result<Empty, Status> {
    with_disk(context, &disk, |device| async move { device.shutdown().await }).await?;
    Ok(Empty {})
}

/// Grows a disk to a size.
pub async fn disk_grow(context: &Context, request: DiskGrowRequest) -> Result<Empty, Status> {
    let disk = given(request.disk)?;
    with_disk(context, &disk, move |device| async move { device.grow(Mib(request.size_mib), request.dry_run).await }).await?;
    Ok(Empty {})
}

/// Gives a disk another place.
pub async fn disk_rename(context: &Context, request: DiskRenameRequest) -> Result<Empty, Status> {
    let (old, new) = (given(request.old)?, given(request.new)?);
    with_disk(context, &old, move |device| async move { device.rename(&new).await }).await?;
    Ok(Empty {})
}

/// The state of several disks; what cannot be found out about one is said there.
pub async fn disk_info(context: &Context, request: DiskInfoRequest) -> Result<DiskInfoReply, Status> {
    Ok(DiskInfoReply { disks: states(context, &request.disks).await })
}

/// The state of each disk.
pub(crate) async fn states(context: &Context, disks: &[DiskRef]) -> Vec<DiskState> {
    let mut states = Vec::with_capacity(disks.len());
    for disk in disks {
        let info = match storage::open(&context.paths, disk) {
            Ok(device) => device.info().await,
            Err(error) => Err(error),
        };
        states.push(info.unwrap_or_else(|error| DiskState { uuid: disk.uuid.clone(), error: error.chain(), ..DiskState::default() }));
    }
    states
}

/// Fills a range with zeros.
pub async fn disk_wipe(context: &Context, request: DiskWipeRequest) -> Result<Empty, Status> {
    let disk = given(request.disk)?;
    let (offset, size) = (Mib(request.offset_mib), Mib(request.size_mib));
    with_disk(context, &disk, move |device| async move { device.wipe(offset, size).await }).await?;
    Ok(Empty {})
}

/// Makes a ticket with which `source_node` may send the content of a disk that exists here.
pub async fn disk_receive_prepare(context: &Context, request: DiskReceivePrepareRequest) -> Result<DiskReceivePrepareReply, Status> {
    let disk = given(request.disk)?;
    let device = storage::open(&context.paths, &disk).map_err(|error| status(context, &error))?;
    let info = device.info().await.map_err(|error| status(context, &error))?;
    if !info.exists {
        return Err(status(context, &Error::Missing { path: info.path.into() }));
    }
    // agents listen on the primary address alone
    let address = context.primary_ip().ok_or_else(|| {
        Status::unavailable(format!(
            "node {} does not know its own address; check its ssconf_node_primary_ips or its name in DNS",
            context.node_name
        ))
    })?;
    context.tickets.withdraw(|purpose| matches!(purpose, Purpose::DiskReceive { disk: other } if other.uuid == disk.uuid));
    let ticket = context.tickets.mint(Purpose::DiskReceive { disk: Box::new(disk) }, &request.source_node);
    Ok(DiskReceivePrepareReply { ticket, address: address.to_string() })
}

/// Writes what another node sends, which has shown the ticket for this disk.
pub async fn disk_receive(
    context: &Context,
    disk: DiskRef,
    chunks: impl Stream<Item = Result<DiskChunk, Status>> + Unpin + Send,
) -> Result<DiskReceived, Status> {
    let _turn = context.instance_locks.lock(&lock_name(&disk)).await;
    copy::receive(&context.paths, &disk, chunks).await.map_err(|error| status(context, &error))
}

/// Copies a disk to the node that has made the ticket.
pub async fn disk_send(context: &Context, request: DiskSendRequest) -> Result<Reply<CopyProgress>, Status> {
    let disk = given(request.disk.clone())?;
    if request.target.is_none() {
        return Err(Status::invalid_argument("the copy has no target"));
    }
    storage::open(&context.paths, &disk).map_err(|error| status(context, &error))?;
    let (progress, replies) = mpsc::channel(PROGRESS_QUEUE);
    let context = context.clone();
    tokio::spawn(async move {
        let timeout = if request.timeout_s == 0 { COPY_TIMEOUT } else { Duration::from_secs(request.timeout_s.into()) };
        let done = match tokio::time::timeout(timeout, send(&context, &disk, &request, &progress)).await {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => {
                CopyProgress { finished: true, error: format!("node {}: {error}", context.node_name), ..CopyProgress::default() }
            }
            Err(_) => {
                let error = format!("node {}: copying disk {} took longer than {} s", context.node_name, disk.uuid, timeout.as_secs());
                CopyProgress { finished: true, error, ..CopyProgress::default() }
            }
        };
        let _ = progress.send(done).await; // the caller went away
    });
    Ok(Box::pin(ReceiverStream::new(replies).map(Ok)))
}

async fn send(
    context: &Context,
    disk: &DiskRef,
    request: &DiskSendRequest,
    progress: &mpsc::Sender<CopyProgress>,
) -> Result<CopyProgress, String> {
    let target = request.target.clone().unwrap_or_default();
    let mut peer = context.peers.connect(&request.target_node, &target.address).await.map_err(|error| chain(&error))?;
    let call = |chunks| async move { Ok(peer.disk_receive(with_ticket(chunks, &target.ticket)?).await?.into_inner()) };
    copy::send(&context.paths, disk, progress, call).await.map_err(|error| error.chain())
}

/// Makes a directory for disks.
pub async fn file_storage_dir_create(context: &Context, request: FileStorageDir) -> Result<Empty, Status> {
    dirs::create(&context.paths, &request.path).await.map_err(|error| status(context, &error))?;
    Ok(Empty {})
}

/// Removes an empty directory for disks.
pub async fn file_storage_dir_remove(context: &Context, request: FileStorageDir) -> Result<Empty, Status> {
    dirs::remove(&context.paths, &request.path).await.map_err(|error| status(context, &error))?;
    Ok(Empty {})
}

/// Renames a directory for disks.
pub async fn file_storage_dir_rename(context: &Context, request: FileStorageDirRenameRequest) -> Result<Empty, Status> {
    dirs::rename(&context.paths, &request.old_path, &request.new_path).await.map_err(|error| status(context, &error))?;
    Ok(Empty {})
}

/// What lies in the named storage units.
pub async fn storage_list(context: &Context, request: StorageListRequest) -> Result<StorageListReply, Status> {
    let mut reply = StorageListReply::default();
    for unit in &request.storage {
        match list::items(&context.paths, unit).await {
            Ok(items) => reply.items.extend(items),
            Err(error) => {
                reply.errors.insert(format!("{}:{}", unit.r#type, unit.key), error.chain());
            }
        }
    }
    Ok(reply)
}

#[allow(clippy::result_large_err)] // tonic's own error type
fn given(disk: Option<DiskRef>) -> Result<DiskRef, Status> {
    disk.ok_or_else(|| Status::invalid_argument("the call names no disk"))
}
