//! Those who follow the changes, each with a queue of its own.
//!
//! A follower that is too slow loses its queue, and learns it at the end of
//! what it had; it never holds up the state.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::log::lock;
use crate::command::{Change, RowChange};
use crate::error::Error;

/// A follower may be this many bytes behind. It covers the writes during a
/// dump of a large cluster.
const QUEUE_BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
pub(crate) struct Followers {
    queues: Mutex<Vec<Sender>>,
}

#[derive(Debug)]
struct Sender {
    changes: UnboundedSender<Arc<Change>>,
    level: Arc<Level>,
}

#[derive(Debug, Default)]
struct Level {
    bytes: AtomicUsize,
    lagged: AtomicBool,
}

/// The receiving end of one follower.
#[derive(Debug)]
pub(crate) struct Changes {
    changes: UnboundedReceiver<Arc<Change>>,
    level: Arc<Level>,
}

impl Followers {
    /// From now on.
    pub(crate) fn subscribe(&self) -> Changes {
        let (sender, changes) = unbounded_channel();
        let level = Arc::new(Level::default());
        lock(&self.queues).push(Sender { changes: sender, level: Arc::clone(&level) });
        Changes { changes, level }
    }

    /// Nobody follows: changes need not be put together.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.queues).is_empty()
    }

    pub(crate) fn publish(&self, change: Change) {
        let weight = weight(&change);
        let change = Arc::new(change);
        lock(&self.queues).retain(|queue| queue.offer(&change, weight));
    }

    /// Sends everyone away, to dump again: the state has jumped.
    pub(crate) fn restart_all(&self) {
        for queue in lock(&self.queues).drain(..) {
            queue.level.lagged.store(true, Ordering::Release);
        }
    }
}

impl Sender {
    /// Whether the follower is still there and in time.
    fn offer(&self, change: &Arc<Change>, weight: usize) -> bool {
        let before = self.level.bytes.fetch_add(weight, Ordering::AcqRel);
        if before + weight > QUEUE_BYTES {
            self.level.lagged.store(true, Ordering::Release);
            return false;
        }
        self.changes.send(Arc::clone(change)).is_ok()
    }
}

impl Changes {
    /// The next change.
    pub(crate) async fn next(&mut self) -> Result<Arc<Change>, Error> {
        match self.changes.recv().await {
            Some(change) => {
                let weight = weight(&change);
                self.level.bytes.fetch_sub(weight, Ordering::AcqRel);
                Ok(change)
            }
            None if self.level.lagged.load(Ordering::Acquire) => Err(Error::Lagged),
            None => Err(Error::unavailable("confd is stopping")),
        }
    }
}

fn weight(change: &Change) -> usize {
    const FRAME: usize = 64;
    let changes = change.changes.iter().map(|change| match change {
        RowChange::Put(row) => FRAME + row.key.id.len() + row.json.len(),
        RowChange::Deleted(key) => FRAME + key.id.len(),
    });
    FRAME + changes.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Key, Row};

    fn change(index: u64, bytes: usize) -> Change {
        let key = Key::new("job", "1");
        let json = "x".repeat(bytes);
        let changes = vec![RowChange::Put(Row { key, rev: 1, json })];
        Change { index, changes }
    }

    #[tokio::test]
    async fn a_slow_follower_is_sent_away_after_what_it_had() {
        let followers = Followers::default();
        let mut slow = followers.subscribe();
        followers.publish(change(1, 10));
        followers.publish(change(2, QUEUE_BYTES));
        followers.publish(change(3, 10));
        assert_eq!(slow.next().await.unwrap().index, 1);
        assert!(matches!(slow.next().await, Err(Error::Lagged)));
        assert!(followers.is_empty());
    }

    #[tokio::test]
    async fn a_follower_that_reads_is_never_sent_away() {
        let followers = Followers::default();
        let mut reader = followers.subscribe();
        for index in 1..100 {
            followers.publish(change(index, QUEUE_BYTES / 10));
            assert_eq!(reader.next().await.unwrap().index, index);
        }
    }
}
