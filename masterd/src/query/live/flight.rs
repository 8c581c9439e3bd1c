//! Calls that several askers share.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gannet_core::id::NodeUuid;
use tokio::sync::watch;

/// How long a node that gave no answer is not asked again, so that lists one after the other do not each wait for it.
pub(super) const FAILURE_COUNTS_FOR: Duration = Duration::from_secs(1);

/// The calls of one kind under way, by node.
#[derive(Debug)]
pub(super) struct Flights<T> {
    slots: Arc<Mutex<HashMap<NodeUuid, Slot<T>>>>,
}

/// `None` inside: the call is not over. Then the answer, or none.
type Receiver<T> = watch::Receiver<Option<Option<Arc<T>>>>;

#[derive(Debug)]
struct Slot<T> {
    /// The call that was asked for last; it may be over.
    last: Option<Receiver<T>>,
    /// The same while it has not begun: who asks now may share it.
    joinable: Option<Receiver<T>>,
    failed_at: Option<Instant>,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { slots: Arc::default() }
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { last: None, joinable: None, failed_at: None }
    }
}

impl<T> Slot<T> {
    fn failed_just_now(&self) -> bool {
        self.failed_at.is_some_and(|at| at.elapsed() < FAILURE_COUNTS_FOR)
    }
}

impl<T: Send + Sync + 'static> Flights<T> {
    /// The answer of `call`, or of the same call by another asker that begins after this moment. `None`: the node did not
    /// answer, now or within the last [`FAILURE_COUNTS_FOR`].
    pub(super) async fn ask(&self, node: &NodeUuid, call: impl Future<Output = Result<T, String>> + Send + 'static) -> Option<Arc<T>> {
        let mut receiver = {
            let mut slots = lock(&self.slots);
            let slot = slots.entry(node.clone()).or_default();
            if slot.failed_just_now() {
                return None;
            }
            match &slot.joinable {
                Some(receiver) => receiver.clone(),
                None => {
                    let (sender, receiver) = watch::channel(None);
                    slot.joinable = Some(receiver.clone());
                    let before = slot.last.replace(receiver.clone());
                    // A task of its own: that one asker goes away must not end the call of the others.
                    tokio::spawn(run(self.slots.clone(), node.clone(), before, call, sender));
                    receiver
                }
            }
        };
        // An error means that the task has panicked or the runtime ends.
        receiver.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone().flatten())
    }
}

async fn run<T>(
    slots: Arc<Mutex<HashMap<NodeUuid, Slot<T>>>>,
    node: NodeUuid,
    before: Option<Receiver<T>>,
    call: impl Future<Output = Result<T, String>>,
    sender: watch::Sender<Option<Option<Arc<T>>>>,
) {
    if let Some(mut before) = before {
        // An error means that its task is gone, which is as good as over.
        let _ = before.wait_for(Option::is_some).await;
    }
    let failed = {
        let mut slots = lock(&slots);
        let slot = slots.entry(node.clone()).or_default();
        slot.joinable = None;
        slot.failed_just_now()
    };
    if failed {
        sender.send_replace(Some(None));
        return;
    }
    let answer = call.await;
    let failed_at = answer.as_ref().err().map(|error| {
        tracing::warn!(%node, error, "a node did not answer a query");
        Instant::now()
    });
    lock(&slots).entry(node).or_default().failed_at = failed_at;
    sender.send_replace(Some(answer.ok().map(Arc::new)));
}

fn lock<T>(slots: &Mutex<HashMap<NodeUuid, Slot<T>>>) -> MutexGuard<'_, HashMap<NodeUuid, Slot<T>>> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    /// Counts calls; each waits for a permit.
    #[derive(Clone)]
    struct Node {
        begun: Arc<AtomicU32>,
        gate: Arc<Semaphore>,
    }

    impl Node {
        fn new(permits: usize) -> Self {
            Self { begun: Arc::default(), gate: Arc::new(Semaphore::new(permits)) }
        }

        fn call(&self) -> impl Future<Output = Result<u32, String>> + Send + 'static {
            let node = self.clone();
            async move {
                let number = node.begun.fetch_add(1, Ordering::SeqCst) + 1;
                node.gate.acquire().await.map_err(|error| error.to_string())?.forget();
                Ok(number)
            }
        }

        async fn wait_until_begun(&self, count: u32) {
            while self.begun.load(Ordering::SeqCst) < count {
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn who_comes_during_a_call_shares_the_next_one() {
        let (flights, node, uuid) = (Arc::new(Flights::default()), Node::new(0), NodeUuid::from("n"));
        let ask = || {
            let (flights, call, uuid) = (flights.clone(), node.call(), uuid.clone());
            tokio::spawn(async move { flights.ask(&uuid, call).await.map(|answer| *answer) })
        };
        let first = ask();
        node.wait_until_begun(1).await;
        let later: Vec<_> = (0..10).map(|_| ask()).collect();
        tokio::task::yield_now().await;
        assert_eq!(node.begun.load(Ordering::SeqCst), 1, "one call at a time");
        node.gate.add_permits(2);
        assert_eq!(first.await.unwrap(), Some(1));
        for answer in join_all(later).await {
            assert_eq!(answer.unwrap(), Some(2), "an answer is never older than the question");
        }
        node.gate.add_permits(1);
        assert_eq!(flights.ask(&uuid, node.call()).await.as_deref(), Some(&3));
    }

    #[tokio::test]
    async fn a_node_that_failed_is_left_alone_for_a_moment() {
        let (flights, node, uuid) = (Flights::default(), Node::new(9), NodeUuid::from("n"));
        assert_eq!(flights.ask(&uuid, async { Err("dead".to_owned()) }).await, None::<Arc<u32>>);
        assert_eq!(flights.ask(&uuid, node.call()).await, None);
        assert_eq!(node.begun.load(Ordering::SeqCst), 0);
        assert_eq!(flights.ask(&NodeUuid::from("other"), node.call()).await.as_deref(), Some(&1));
        lock(&flights.slots).get_mut(&uuid).unwrap().failed_at = Instant::now().checked_sub(FAILURE_COUNTS_FOR);
        assert_eq!(flights.ask(&uuid, node.call()).await.as_deref(), Some(&2));
    }

    #[tokio::test]
    async fn an_asker_that_goes_away_does_not_end_the_call() {
        let (flights, node, uuid) = (Arc::new(Flights::default()), Node::new(0), NodeUuid::from("n"));
        let asker = tokio::spawn({
            let (flights, call, uuid) = (flights.clone(), node.call(), uuid.clone());
            async move { flights.ask(&uuid, call).await }
        });
        node.wait_until_begun(1).await;
        asker.abort();
        assert!(asker.await.unwrap_err().is_cancelled());
        node.gate.add_permits(2);
        assert_eq!(flights.ask(&uuid, node.call()).await.as_deref(), Some(&2));
    }
}
