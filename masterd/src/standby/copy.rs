//! This node's own copy of the state, ready to be read: a [`Master`] that has no jobs of its own, runs nothing and cannot write.

use std::sync::Arc;
use std::time::Duration;

use gannet_confd::client::Client;
use gannet_confd::command::Kind;
use gannet_core::id::Epoch;
use gannet_core::paths::Paths;
use tokio::sync::watch;

use super::view::View;
use crate::clock::SystemClock;
use crate::job::JobRow;
use crate::master::Master;
use crate::node::{Nodes, TlsFiles};
use crate::store::Store;

/// Between two tries to read the state.
const RETRY: Duration = Duration::from_millis(500);
/// Jobs that are read in one go.
const PAGE: u32 = 500;

/// Keeps the copy. The last one stays when confd goes away.
pub(super) async fn keep(
    paths: &Paths,
    mut clients: watch::Receiver<Option<Client>>,
    mut view: watch::Receiver<View>,
    copy: &watch::Sender<Option<Arc<Master>>>,
) {
    loop {
        let client = clients.borrow_and_update().clone();
        if let Some(client) = client {
            let (lost, mut seen) = watch::channel(None);
            // Nobody writes under the epoch 0.
            match Store::open(client, Epoch(0), lost).await {
                Ok((store, _)) if store.state().config.is_initialised() => {
                    tokio::select! {
                        () = show(&store, paths, &mut view, copy) => {}
                        _ = seen.wait_for(Option::is_some) => {}
                    }
                }
                // A candidate that has just begun has nothing yet.
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "cannot read this node's copy of the state"),
            }
        }
        let _either = tokio::time::timeout(RETRY, clients.changed()).await;
    }
}

/// Shows `store` under the epoch of each master: nodes are asked in its name, or they would not answer.
async fn show(store: &Store, paths: &Paths, view: &mut watch::Receiver<View>, copy: &watch::Sender<Option<Arc<Master>>>) {
    let mut shown = None;
    loop {
        // A term in which nobody leads (yet) is none to ask in: nodes would refuse the master of the term before.
        let term = view.borrow_and_update().leader.as_ref().map_or(0, |leader| leader.term);
        if shown != Some(term) {
            let files = TlsFiles { ca: paths.ca_cert(), master: paths.master_cert() };
            match Nodes::new(&files, Epoch(term)) {
                Ok(nodes) => {
                    let (stopped, _) = watch::channel(None);
                    copy.send_replace(Some(Master::new(store.clone(), nodes, Arc::new(SystemClock), paths.clone(), stopped)));
                    shown = Some(term);
                }
                Err(error) => tracing::warn!(%error, "no certificates to ask nodes with"),
            }
        }
        if view.changed().await.is_err() {
            return;
        }
    }
}

/// Takes the jobs into `copy` as they are in the store now. What runs is only known to its master: of a job that has not ended the
/// last write is seen.
///
/// # Errors
/// confd does not answer.
pub(super) async fn read_jobs(copy: &Master) -> Result<(), gannet_confd::Error> {
    let mut jobs: Vec<JobRow> = Vec::new();
    let mut after = String::new();
    loop {
        let page = copy.store().client().list(Kind::JOB, &after, PAGE).await?;
        // A page may be short; only an empty one is the end.
        let Some(last) = page.last() else { break };
        after.clone_from(&last.key.id);
        jobs.extend(page.iter().filter_map(|row| serde_json::from_str::<JobRow>(&row.json).ok()));
    }
    copy.queue().show(&jobs);
    Ok(())
}
