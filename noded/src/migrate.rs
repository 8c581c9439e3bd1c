//! Live migration between two agents. The master prepares the target, runs at the source, and settles both:
//! after any end, "wait until neither side has a job, then ask both".

use std::time::{Duration, Instant};

use futures::StreamExt;
use gannet_proto::node::{
    DiskCreateRequest, Instance, InstanceInfo, InstanceRef, InstanceState, MigrationPrepareReply, MigrationProgress, MigrationRunRequest,
    MigrationSettleReply,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::context::Context;
use crate::hypervisor::{Hypervisor, Outgoing};
use crate::peer::PeerTunnel;
use crate::rpc::{Reply, disk, instance};
use crate::ticket::Purpose;

/// Progress messages that may wait for a slow master; older ones are of no use to it.
const PROGRESS: usize = 32;
/// When the master sets no limit.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3600);

/// Makes this node ready to receive.
///
/// # Errors
/// When a disk, a bridge or the hypervisor is missing.
pub async fn prepare(context: &Context, guest: &Instance, source_node: &str, copy_storage: bool) -> Result<MigrationPrepareReply, Status> {
    let hypervisor = context.hypervisors.get(&guest.hypervisor)?;
    let address = context.secondary_ip().ok_or_else(|| no_address(context))?;
    let own = context.primary_ip().ok_or_else(|| no_address(context))?;
    // Guarded from here on, whenever the guest arrives.
    let _permit = context.lease.permit(guest.auto_failover.then(|| guest.into()), &context.node_name).await?;
    if copy_storage {
        for disk in &guest.disks {
            let request =
                DiskCreateRequest { disk: Some(disk.clone()), instance_name: guest.name.clone(), is_primary: false, exclusive: false };
            disk::disk_create(context, request).await?;
        }
    }
    let devices = instance::devices(context, guest).await?;
    let data_uri = hypervisor.migrate_prepare(guest, &devices, &address.to_string()).await?;
    // one ticket at a time: an older one belongs to an attempt that was given up
    context.tickets.withdraw(|purpose| is_for(purpose, &guest.name));
    let purpose = Purpose::Migration { instance: guest.name.clone(), hypervisor: guest.hypervisor.clone() };
    Ok(MigrationPrepareReply { ticket: context.tickets.mint(purpose, source_node), tunnel_address: own.to_string(), data_uri })
}

fn no_address(context: &Context) -> Status {
    Status::internal(format!("node {} does not know its own address; check ssconf_node_primary_ips", context.node_name))
}

fn is_for(purpose: &Purpose, name: &str) -> bool {
    matches!(purpose, Purpose::Migration { instance, .. } if instance == name)
}

/// Runs the migration at the source. It goes on when the master hangs up: whoever settles later waits for it.
pub fn run(context: &Context, guest: Instance, target: MigrationPrepareReply, request: &MigrationRunRequest) -> Reply<MigrationProgress> {
    let (progress, messages) = mpsc::channel(PROGRESS);
    let (context, request) = (context.clone(), request.clone());
    tokio::spawn(async move {
        let begin = Instant::now();
        let (updates, mut received) = mpsc::channel(PROGRESS);
        let work = run_locked(&context, &guest, target, &request, updates);
        tokio::pin!(work);
        let mut last = MigrationProgress::default();
        let result = loop {
            tokio::select! {
                biased;
                Some(update) = received.recv() => {
                    last = update.clone();
                    // a master that does not read gets only what fits
                    let _full_or_gone = progress.try_send(update);
                }
                result = &mut work => break result,
            }
        };
        if let Err(status) = &result {
            tracing::warn!(instance = guest.name, target = request.target_node, error = status.message(), "migration failed");
        }
        let elapsed_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let error = result.err().map_or_else(String::new, |status| status.message().to_owned());
        let _nobody_listens = progress.send(MigrationProgress { finished: true, elapsed_ms, error, ..last }).await;
    });
    Box::pin(ReceiverStream::new(messages).map(Ok))
}

async fn run_locked(
    context: &Context,
    guest: &Instance,
    target: MigrationPrepareReply,
    request: &MigrationRunRequest,
    progress: mpsc::Sender<MigrationProgress>,
) -> Result<(), Status> {
    let hypervisor = context.hypervisors.get(&guest.hypervisor)?;
    let _turn = context.instance_locks.lock(&guest.name).await;
    let devices = instance::devices(context, guest).await?;
    let data_uri = target.data_uri.clone();
    let outgoing = Outgoing {
        instance: guest,
        devices: &devices,
        data_uri: &data_uri,
        live: request.live,
        copy_storage: request.copy_storage,
        bandwidth_mib_s: request.bandwidth_mib_s,
        max_downtime_ms: request.max_downtime_ms,
        timeout: if request.timeout_s == 0 { DEFAULT_TIMEOUT } else { Duration::from_secs(u64::from(request.timeout_s)) },
        progress,
    };
    let tunnel = PeerTunnel::new(context.clone(), &request.target_node, target);
    Ok(hypervisor.migrate_run(&outgoing, Box::new(tunnel)).await?)
}

/// Waits until no migration of the instance runs here, then says where it stands.
///
/// # Errors
/// When the hypervisor cannot be asked.
pub async fn settle(
    context: &Context,
    instance: &InstanceRef,
    drop_incoming: bool,
    timeout: Duration,
) -> Result<MigrationSettleReply, Status> {
    let hypervisor = context.hypervisors.get(&instance.hypervisor)?;
    let until = Instant::now() + timeout;
    // from now on nobody can begin to send an instance here under an older ticket
    context.tickets.withdraw(|purpose| is_for(purpose, &instance.name));
    let Some(_turn) = context.instance_locks.lock_within(&instance.name, timeout).await else {
        return Ok(MigrationSettleReply { state: current(hypervisor.as_ref(), &instance.name).await?.into(), job_running: true });
    };
    let left = until.saturating_duration_since(Instant::now());
    Ok(hypervisor.migrate_settle(&instance.name, drop_incoming, left).await?)
}

async fn current(hypervisor: &dyn Hypervisor, name: &str) -> Result<InstanceState, Status> {
    Ok(hypervisor.info(name).await?.as_ref().map_or(InstanceState::Stopped, InstanceInfo::state))
}
