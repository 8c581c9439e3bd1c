//! The streams: state and changes, roles.

use gannet_proto::state::{self as pb, follow_event::Event};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, Instant, timeout_at};
use tonic::Status as RpcStatus;

use super::PORTION_BYTES;
use crate::command::Row;
use crate::error::Error;
use crate::status::Role;
use crate::store::state::State;
use crate::store::{self, followers::Changes};
use crate::wire_status::encode;

/// A dump holds the state database's write-ahead log back, so it must end.
const DUMP_LIMIT: Duration = Duration::from_secs(60);

type Sender<T> = mpsc::Sender<Result<T, RpcStatus>>;

/// Feeds one follower until it goes, lags, or confd stops.
pub(super) async fn run(state: State, sender: Sender<pb::FollowEvent>, mut stopping: watch::Receiver<bool>) {
    // Subscribed before the dump is read: what is committed in between is in
    // both, and left out of the changes by its index.
    let mut changes = state.subscribe();
    let error = tokio::select! {
        ended = feed(state, &mut changes, &sender) => match ended {
            Ok(()) => return,
            Err(error) => error,
        },
        _ = stopping.wait_for(|stop| *stop) => Error::unavailable("confd is stopping"),
    };
    // The follower may be gone, too.
    let _ = sender.try_send(Err(encode(&error)));
}

/// Sends the rows as fast as the follower takes them.
async fn dump(state: State, rows: Sender<pb::FollowEvent>, deadline: Instant) -> Result<store::Result<u64>, Error> {
    let runtime = Handle::current();
    let dumped = tokio::task::spawn_blocking(move || {
        state.dump(PORTION_BYTES, |portion| {
            let sending = rows.send(Ok(event(Event::Rows(to_wire(portion)))));
            let sent = runtime.block_on(timeout_at(deadline, sending));
            sent.is_ok_and(|sent| sent.is_ok())
        })
    });
    dumped.await.map_err(Error::unavailable)
}

/// In a simulated world there is one thread, which cannot wait; and little to send.
async fn dump_at_once(state: &State, sender: &Sender<pb::FollowEvent>, deadline: Instant) -> store::Result<u64> {
    let mut portions = Vec::new();
    let dumped = state.dump(PORTION_BYTES, |portion| {
        portions.push(portion);
        true
    });
    for portion in portions {
        let sending = sender.send(Ok(event(Event::Rows(to_wire(portion)))));
        if !timeout_at(deadline, sending).await.is_ok_and(|sent| sent.is_ok()) {
            break;
        }
    }
    dumped
}

/// Ends without an error when the follower has gone.
async fn feed(state: State, changes: &mut Changes, sender: &Sender<pb::FollowEvent>) -> Result<(), Error> {
    let deadline = Instant::now() + DUMP_LIMIT;
    let dumped = match gannet_daemon::world::get() {
        None => dump(state, sender.clone(), deadline).await?,
        Some(_) => dump_at_once(&state, sender, deadline).await,
    };
    let synced = dumped.map_err(|error| Error::unavailable(crate::error_chain(&error)))?;
    if Instant::now() >= deadline {
        return Err(Error::Lagged);
    }
    if sender.send(Ok(event(Event::Synced(synced)))).await.is_err() {
        return Ok(());
    }
    loop {
        let change = tokio::select! {
            change = changes.next() => change?,
            () = sender.closed() => return Ok(()),
        };
        if change.index <= synced {
            continue;
        }
        let change = event(Event::Change((*change).clone().into()));
        if sender.send(Ok(change)).await.is_err() {
            return Ok(());
        }
    }
}

fn event(event: Event) -> pb::FollowEvent {
    pb::FollowEvent { event: Some(event) }
}

fn to_wire(rows: Vec<Row>) -> pb::Rows {
    pb::Rows { rows: rows.into_iter().map(Into::into).collect() }
}

/// Tells the role now and at each change.
pub(super) async fn roles(mut roles: watch::Receiver<Role>, sender: Sender<pb::Role>, mut stopping: watch::Receiver<bool>) {
    loop {
        let now = *roles.borrow_and_update();
        if sender.send(Ok(now.into())).await.is_err() {
            return;
        }
        tokio::select! {
            changed = roles.changed() => if changed.is_err() { return },
            () = sender.closed() => return,
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}
