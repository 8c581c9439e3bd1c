//! Calls of a live migration; the work is in [`crate::migrate`].

use gannet_proto::node::{
    Empty, InstanceRef, MigrationPrepareReply, MigrationPrepareRequest, MigrationProgress, MigrationRunRequest, MigrationSettleReply,
    MigrationSettleRequest,
};
use tonic::Status;

use super::Reply;
use super::instance::{finish, named, reference, seconds};
use crate::context::Context;
use crate::migrate;

/// `MigrationPrepare`, on the target.
///
/// # Errors
/// When something that the guest needs is missing here.
pub async fn migration_prepare(context: &Context, request: MigrationPrepareRequest) -> Result<MigrationPrepareReply, Status> {
    let instance = named(request.instance)?;
    let context = context.clone();
    finish(async move {
        let _turn = context.instance_locks.lock(&instance.name).await;
        migrate::prepare(&context, &instance, &request.source_node, request.copy_storage).await
    })
    .await
}

/// `MigrationRun`, on the source.
///
/// # Errors
/// Only for requests that cannot be understood: how the migration ended is in its last message.
pub async fn migration_run(context: &Context, request: MigrationRunRequest) -> Result<Reply<MigrationProgress>, Status> {
    let instance = named(request.instance.clone())?;
    let target = request.target.clone().ok_or_else(|| Status::invalid_argument("the call names no target"))?;
    Ok(migrate::run(context, instance, target, &request))
}

/// `MigrationAbort`, on the source.
///
/// # Errors
/// When the hypervisor cannot be reached.
pub async fn migration_abort(context: &Context, request: InstanceRef) -> Result<Empty, Status> {
    let instance = reference(Some(request))?;
    // without the instance's lock: the migration holds it
    context.hypervisors.get(&instance.hypervisor)?.migrate_abort(&instance.name).await?;
    Ok(Empty {})
}

/// `MigrationSettle`, on either side.
///
/// # Errors
/// When the hypervisor cannot be asked.
pub async fn migration_settle(context: &Context, request: MigrationSettleRequest) -> Result<MigrationSettleReply, Status> {
    let instance = reference(request.instance)?;
    migrate::settle(context, &instance, request.drop_incoming, seconds(request.timeout_s)).await
}
