//! `Lease`: the master's word that instances with automatic failover may go on here.

use std::time::Duration;

use gannet_proto::node::{InstanceRef, LeaseReply, LeaseRequest};
use tonic::Status;

use crate::context::Context;
use crate::lease::{Grant, Guest};

/// Ends stale guests first, then passes the renewal on to the keeper. That there is no keeper is an answer and no error: the node
/// was reached.
///
/// # Errors
/// A stale guest cannot be ended.
pub async fn lease(context: &Context, request: LeaseRequest) -> Result<LeaseReply, Status> {
    let mut ended = Vec::new();
    for guest in &request.stale {
        if end_stale(context, guest).await? {
            ended.push(guest.name.clone());
        }
    }
    let length = Duration::from_millis(u64::from(request.lease_ms));
    let grant = request.stamp.map(|stamp| Grant { stamp: stamp.into(), length });
    let guard: Vec<Guest> = request.guard.into_iter().map(Guest::from).collect();
    Ok(match context.lease.renew(grant, guard, request.release).await {
        Ok(answer) => LeaseReply {
            stamp: Some(answer.stamp.into()),
            left_ms: u32::try_from(answer.left.as_millis()).unwrap_or(u32::MAX),
            guarded: answer.guarded,
            trouble: answer.refused,
            ended,
        },
        Err(error) => LeaseReply { trouble: error.to_string(), ended, ..LeaseReply::default() },
    })
}

/// Whether it was there.
async fn end_stale(context: &Context, guest: &InstanceRef) -> Result<bool, Status> {
    let hypervisor = context.hypervisors.get(&guest.hypervisor)?;
    let _turn = context.instance_locks.lock(&guest.name).await;
    let here = hypervisor.info(&guest.name).await?.is_some_and(|info| info.uuid == guest.uuid);
    if here {
        tracing::warn!(instance = guest.name, "ended: the instance belongs to another node by now");
        hypervisor.end_now(&guest.name, &guest.uuid).await?;
    }
    Ok(here)
}
