//! The daemon's life: wait for the leader's role, become active, serve, and stop at once when the role is lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use gannet_confd::client::Client;
use gannet_confd::command::Row;
use gannet_core::id::Epoch;
use gannet_core::paths::Paths;
use gannet_daemon::Signals;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::SystemClock;
use crate::master::Master;
use crate::node::{Nodes, TlsFiles};
use crate::store::Store;

/// Between two tries to reach confd.
const RETRY: Duration = Duration::from_millis(20);
/// A daemon that does not lead after this long says that it is ready: as a standby. One that is alone leads at once.
const STANDBY: Duration = Duration::from_secs(3);
/// A clean stop waits this long for jobs that are in the middle of changing something.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// How the daemon ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// It was asked to.
    Asked,
    /// It may not act any more, and begins anew as a standby.
    StartOver,
}

/// Runs until a signal, or until the role is lost.
///
/// # Errors
/// When it cannot start: no certificates, a socket that cannot be made.
pub async fn run(paths: Paths, signals: Signals) -> anyhow::Result<End> {
    let Some((client, epoch)) = standby(&paths, &signals).await else { return Ok(End::Asked) };
    tracing::info!(%epoch, "this node is the master");
    let (lost, mut lost_seen) = watch::channel(None);
    let (store, job_rows) = Store::open(client.clone(), epoch, lost.clone()).await.context("cannot read the state from confd")?;
    if !store.state().config.is_initialised() {
        anyhow::bail!("confd holds no cluster: run `gnt-cluster init` first");
    }
    let files = TlsFiles { ca: paths.ca_cert(), master: paths.master_cert() };
    let nodes = Nodes::new(&files, epoch).with_context(|| format!("cannot read {} and {}", files.ca.display(), files.master.display()))?;
    let master = Master::new(store, nodes, Arc::new(SystemClock), paths.clone(), lost);
    crate::members::claim(&master, &client).await.context("cannot take over the role of the master")?;
    let (stop, stopping) = watch::channel(false);
    let mut services = services(&master, &paths, &stopping, job_rows)?;
    services.spawn(watch_role(client, epoch, master.clone()));
    gannet_daemon::notify_ready();
    let end = tokio::select! {
        () = signals.ended() => End::Asked,
        _ = lost_seen.wait_for(Option::is_some) => End::StartOver,
        Some(service) = services.join_next() => {
            tracing::error!(outcome = ?service, "a service ended; starting over");
            End::StartOver
        }
    };
    if end == End::Asked {
        master.queue().pause();
        if tokio::time::timeout(DRAIN_LIMIT, master.queue().idle()).await.is_err() {
            tracing::warn!("some jobs are still in the middle of a step; the next master goes on with them");
        }
    } else {
        tracing::warn!(reason = ?*lost_seen.borrow(), "this master stops acting");
    }
    stop.send_replace(true);
    services.abort_all();
    Ok(end)
}

/// Waits until confd answers and says that it leads. `None`: a signal came first.
async fn standby(paths: &Paths, signals: &Signals) -> Option<(Client, Epoch)> {
    let socket = paths.confd_socket();
    // Whoever starts the daemons of a node that does not lead need not wait for more than that it stands by.
    let stands_by = async {
        tokio::time::sleep(STANDBY).await;
        gannet_daemon::notify_ready();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = signals.ended() => None,
        found = lead(&socket, paths) => Some(found),
        () = stands_by => None,
    }
}

async fn lead(socket: &Path, paths: &Paths) -> (Client, Epoch) {
    let mut complained = false;
    loop {
        match try_lead(socket, paths).await {
            Ok(Some(found)) => return found,
            Ok(None) => {}
            Err(error) => {
                if !complained {
                    tracing::info!(%error, "waiting for confd");
                    complained = true;
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Follows the role until it is leader; `None` when the stream ends.
async fn try_lead(socket: &Path, paths: &Paths) -> Result<Option<(Client, Epoch)>, gannet_confd::Error> {
    let client = Client::connect(socket).await?;
    let mut roles = client.roles().await?;
    loop {
        let role = roles.next().await?;
        if let Some(leader) = role.leader.filter(|leader| *leader != role.id) {
            point_to(leader, &client, paths).await?;
        }
        if role.is_leader() {
            // A store that has just begun leads before it has applied all of its log: what it would show now is the past,
            // with jobs that are not there yet.
            client.read_index().await?;
            return Ok(Some((client, Epoch(role.term))));
        }
    }
}

/// Commands on this node ask ssconf who the master is; the new master tells all nodes, but one that was away only later.
async fn point_to(leader: u64, client: &Client, paths: &Paths) -> Result<(), gannet_confd::Error> {
    let members = client.status().await?.members;
    if let Some(member) = members.iter().find(|member| member.id == leader) {
        let values = BTreeMap::from([("master_node".to_owned(), format!("{}\n", member.name))]);
        if let Err(error) = crate::export::write_ssconf(paths, &values) {
            tracing::warn!(%error, "cannot write who the master is");
        }
    }
    Ok(())
}

/// Stops the master when confd leads no more, or leads in another term.
async fn watch_role(client: Client, epoch: Epoch, master: Arc<Master>) {
    let reason = match client.roles().await {
        Ok(mut roles) => loop {
            match roles.next().await {
                Ok(role) if role.is_leader() && role.term == epoch.0 => {}
                Ok(role) => break format!("confd is {} in term {}", role.kind, role.term),
                Err(error) => break error.to_string(),
            }
        },
        Err(error) => error.to_string(),
    };
    master.stop(reason);
    // The daemon ends by the reason above, not by the end of this task.
    std::future::pending::<()>().await;
}

fn services(master: &Arc<Master>, paths: &Paths, stopping: &watch::Receiver<bool>, jobs: Vec<Row>) -> anyhow::Result<JoinSet<()>> {
    // Bound before the daemon says that it is ready: who waited for that can connect.
    let bind = |socket: PathBuf| crate::luxi::bind(&socket).with_context(|| format!("cannot listen on {}", socket.display()));
    let listeners = [bind(paths.query_socket())?, bind(paths.master_socket())?];
    // Before anybody can ask: who is answered while the queue is not complete misses jobs, or gets the number of one.
    master.take_over(jobs);
    let mut services = JoinSet::new();
    for listener in listeners {
        services.spawn(crate::luxi::serve(master.clone(), listener, stopping.clone()));
    }
    services.spawn(crate::export::serve(master.clone(), stopping.clone()));
    services.spawn(crate::join::serve(master.clone(), stopping.clone()));
    services.spawn(crate::members::serve(master.clone(), stopping.clone()));
    services.spawn(crate::master_ip::serve(master.clone(), stopping.clone()));
    services.spawn(crate::node_death::serve(master.clone(), stopping.clone()));
    services.spawn(crate::job::archive_old(master.clone(), stopping.clone()));
    services.spawn(follow_settings(master.clone(), stopping.clone()));
    Ok(services)
}

/// Puts changed limits and rules of the job queue in force at once.
async fn follow_settings(master: Arc<Master>, mut stopping: watch::Receiver<bool>) {
    let mut changes = master.store().changes();
    loop {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { break },
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        master.queue().configure();
    }
    // The daemon ends because the store is lost, not because of this task.
    std::future::pending::<()>().await;
}
