//! Follows confd and keeps the newest [`State`].

use std::sync::Arc;

use gannet_confd::client::{Client, Event, Follower};
use gannet_confd::command::{Change, Kind, Row, RowChange};
use gannet_core::config::{Object, ObjectKind};
use tokio::sync::watch;

use super::State;

/// Fires when the stream of changes ends: the master must stop acting and start over.
pub type Lost = watch::Sender<Option<String>>;

/// Reads the whole state, then follows it in a task of its own. Also gives the job rows of the beginning.
pub(super) async fn start(client: &Client, lost: Lost) -> Result<(watch::Receiver<Arc<State>>, Vec<Row>), gannet_confd::Error> {
    let mut follower = client.follow().await?;
    let (rows, index) = follower.dump().await?;
    let (jobs, others): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.key.kind.as_str() == Kind::JOB);
    let mut state = State { index, ..State::default() };
    for row in others {
        put(&mut state, row);
    }
    let (sender, receiver) = watch::channel(Arc::new(state));
    tokio::spawn(follow(follower, sender, lost));
    Ok((receiver, jobs))
}

async fn follow(mut follower: Follower, sender: watch::Sender<Arc<State>>, lost: Lost) {
    loop {
        match follower.next().await {
            Ok(Event::Change(change)) => apply(&sender, change),
            Ok(Event::Rows(_) | Event::Synced { .. }) => {}
            Err(error) => {
                tracing::error!(error = %error, "lost the stream of changes from confd");
                lost.send_replace(Some(error.to_string()));
                return;
            }
        }
    }
}

fn apply(sender: &watch::Sender<Arc<State>>, change: Change) {
    let mut state = State::clone(&sender.borrow());
    state.index = change.index;
    for row in change.changes {
        match row {
            RowChange::Put(row) => put(&mut state, row),
            RowChange::Deleted(key) => match ObjectKind::parse(key.kind.as_str()) {
                Some(kind) => {
                    state.config.remove(kind, &key.id);
                    state.revs.remove(&(kind, key.id));
                }
                None => {
                    state.meta.remove(&key.id);
                }
            },
        }
    }
    sender.send_replace(Arc::new(state));
}

fn put(state: &mut State, row: Row) {
    if row.key.kind.as_str() == Kind::META {
        state.meta.insert(row.key.id, row.json.into());
        return;
    }
    let Some(kind) = ObjectKind::parse(row.key.kind.as_str()) else { return };
    match Object::from_json(kind, &row.json) {
        Ok(object) => {
            state.config.put(object);
            state.revs.insert((kind, row.key.id), row.rev);
        }
        // Only a newer version can have written it; serving the rest beats serving nothing.
        Err(error) => tracing::error!(key = %row.key, error = %error, "a row of the state cannot be read; it is left out"),
    }
}
