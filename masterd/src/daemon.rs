//! The daemon's life: wait for the leader's role, become active, serve, and stop at once when the role is lost.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use gannet_confd::client::Client;
use gannet_core::id::Epoch;
use gannet_core::paths::Paths;
use gannet_daemon::Signals;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::SystemClock;
use crate::luxi::Desk;
use crate::master::Master;
use crate::node::{Nodes, TlsFiles};
use crate::standby::Standby;
use crate::store::Store;

/// Between two looks whether a majority answers.
const MAJORITY: Duration = Duration::from_millis(500);
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
    let (stop, stopping) = watch::channel(false);
    let standby = Standby::new(paths.clone());
    let desk = watch::Sender::new(Desk::Standby(standby.clone()));
    let mut listeners = JoinSet::new();
    for socket in [paths.query_socket(), paths.master_socket()] {
        let listener = crate::luxi::bind(&socket).with_context(|| format!("cannot listen on {}", socket.display()))?;
        listeners.spawn(crate::luxi::serve(desk.subscribe(), listener, stopping.clone()));
    }
    let Some((client, epoch)) = stand_by(&standby, &signals).await else { return Ok(End::Asked) };
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
    // Before anybody can ask: who is answered while the queue is not complete misses jobs, or gets the number of one.
    master.take_over(job_rows);
    let mut services = services(&master, &stopping);
    services.spawn(watch_role(client, epoch, master.clone()));
    desk.send_replace(Desk::Active(master.clone()));
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

/// Stands by until this node leads. `None`: a signal came first.
async fn stand_by(standby: &Standby, signals: &Signals) -> Option<(Client, Epoch)> {
    // Whoever starts the daemons of a node that does not lead need not wait for more than that it stands by.
    let stands_by = async {
        tokio::time::sleep(STANDBY).await;
        gannet_daemon::notify_ready();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = signals.ended() => None,
        found = standby.until_leading() => Some(found),
        () = stands_by => None,
    }
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

/// Says that what is read may be old while no majority answers the store of this node.
async fn watch_majority(master: Arc<Master>, mut stopping: watch::Receiver<bool>) {
    loop {
        // A store that does not answer is the end of this master; that is seen elsewhere.
        if let Ok(status) = master.store().client().status().await {
            let silence = status.silence.filter(|silence| *silence > gannet_confd::NO_MAJORITY);
            master.set_doubt(
                silence.map(|silence| {
                    format!("no majority of the voting master candidates has answered the master for {} s", silence.as_secs())
                }),
            );
        }
        tokio::select! {
            () = tokio::time::sleep(MAJORITY) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

fn services(master: &Arc<Master>, stopping: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut services = JoinSet::new();
    services.spawn(watch_majority(master.clone(), stopping.clone()));
    services.spawn(crate::relay::serve(master.clone(), stopping.clone()));
    services.spawn(crate::export::serve(master.clone(), stopping.clone()));
    services.spawn(crate::join::serve(master.clone(), stopping.clone()));
    services.spawn(crate::members::serve(master.clone(), stopping.clone()));
    services.spawn(crate::master_ip::serve(master.clone(), stopping.clone()));
    services.spawn(crate::node_death::serve(master.clone(), stopping.clone()));
    services.spawn(crate::job::archive_old(master.clone(), stopping.clone()));
    services.spawn(follow_settings(master.clone(), stopping.clone()));
    services
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
