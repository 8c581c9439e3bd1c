//! This node's own copy of the state, ready to be read: a [`Master`] that has no jobs of its own, runs nothing and cannot write.

use std::sync::Arc;
use std::time::Duration;

use gannet_confd::client::Client;
use gannet_confd::command::Kind;
use gannet_core::paths::Paths;
use tokio::sync::watch;

use crate::clock::SystemClock;
use crate::job::JobRow;
use crate::master::Master;
use crate::node::{Nodes, TlsFiles};
use crate::store::{READER, Store};

/// Between two tries to read the state.
const RETRY: Duration = Duration::from_millis(500);
/// Jobs that are read in one go.
const PAGE: u32 = 500;

/// Keeps the copy. The last one stays when confd goes away.
pub(super) async fn keep(paths: &Paths, mut clients: watch::Receiver<Option<Client>>, copy: &watch::Sender<Option<Arc<Master>>>) {
    loop {
        let client = clients.borrow_and_update().clone();
        if let Some(client) = client {
            let (lost, mut seen) = watch::channel(None);
            match Store::read_only(client, lost).await {
                Ok(store) if store.state().config.is_initialised() => match show(store, paths) {
                    Ok(master) => {
                        copy.send_replace(Some(master));
                        let _reason = seen.wait_for(Option::is_some).await;
                    }
                    Err(error) => tracing::warn!(%error, "no certificates to ask nodes with"),
                },
                // A candidate that has just begun has nothing yet.
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "cannot read this node's copy of the state"),
            }
        }
        let _either = tokio::time::timeout(RETRY, clients.changed()).await;
    }
}

/// Nodes answer what changes nothing to a candidate without an epoch, too.
fn show(store: Store, paths: &Paths) -> std::io::Result<Arc<Master>> {
    let files = TlsFiles { ca: paths.ca_cert(), master: paths.master_cert() };
    let (stopped, _) = watch::channel(None);
    Ok(Master::new(store, Nodes::new(&files, READER)?, Arc::new(SystemClock), paths.clone(), stopped))
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
