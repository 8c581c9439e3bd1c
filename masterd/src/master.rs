//! The services of an active master, in one place.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gannet_confd::command::Row;
use gannet_core::id::NodeUuid;
use gannet_core::paths::Paths;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::job::Queue;
use crate::lock::LockManager;
use crate::node::{NodeError, NodeHandle, Nodes};
use crate::query::live::LiveCache;
use crate::query::{InfoText, InstanceTexts};
use crate::reserve::Reservations;
use crate::store::Store;

/// What opcodes, queries and LUXI methods work with.
pub struct Master {
    store: Store,
    nodes: Nodes,
    locks: LockManager,
    clock: Arc<dyn Clock>,
    queue: OnceLock<Queue>,
    reservations: Reservations,
    live: LiveCache,
    texts: InstanceTexts,
    info: InfoText,
    paths: Paths,
    stopped: watch::Sender<Option<String>>,
    doubt: Mutex<Option<Arc<str>>>,
    exports: crate::export::Progress,
    deaths: crate::node_death::Board,
}

impl Master {
    /// A master over `store`; takes over the jobs of `rows` with [`crate::job::recover`].
    #[must_use]
    pub fn new(store: Store, nodes: Nodes, clock: Arc<dyn Clock>, paths: Paths, stopped: watch::Sender<Option<String>>) -> Arc<Self> {
        let highest = store.state().meta.get(crate::job::ARCHIVED_KEY).and_then(|text| text.parse().ok()).unwrap_or(0);
        let master = Arc::new(Self {
            store,
            nodes,
            locks: LockManager::default(),
            clock,
            queue: OnceLock::new(),
            reservations: Reservations::default(),
            live: LiveCache::default(),
            texts: InstanceTexts::default(),
            info: InfoText::default(),
            paths,
            stopped,
            doubt: Mutex::default(),
            exports: crate::export::Progress::default(),
            deaths: crate::node_death::Board::default(),
        });
        let queue = Queue::new(Arc::downgrade(&master), highest);
        assert!(master.queue.set(queue).is_ok(), "the queue is set once, here");
        master
    }

    /// Takes over the jobs that the store had at the beginning.
    pub fn take_over(self: &Arc<Self>, rows: Vec<Row>) {
        self.queue().configure();
        crate::job::recover(self, rows);
    }

    /// The replicated state.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The connections to nodes.
    #[must_use]
    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// A handle for calling the node.
    ///
    /// # Errors
    /// When it is offline or not in the configuration.
    pub fn node(&self, uuid: &NodeUuid) -> Result<NodeHandle, NodeError> {
        self.nodes.by_uuid(&self.store.state().config, uuid)
    }

    /// What the nodes have of the state.
    #[must_use]
    pub fn exports(&self) -> &crate::export::Progress {
        &self.exports
    }

    /// What the watch of nodes has to say.
    pub(crate) fn deaths(&self) -> &crate::node_death::Board {
        &self.deaths
    }

    /// The lock manager.
    #[must_use]
    pub fn locks(&self) -> &LockManager {
        &self.locks
    }

    /// Time.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The job queue.
    ///
    /// # Panics
    /// Never: it is set before the master is handed out.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        self.queue.get().expect("the queue is set by `new`")
    }

    /// Names, ports and addresses that running jobs have picked but not yet written.
    #[must_use]
    pub fn reservations(&self) -> &Reservations {
        &self.reservations
    }

    /// What nodes say of their instances.
    #[must_use]
    pub fn live(&self) -> &LiveCache {
        &self.live
    }

    /// Rows of the list of all instances, as text.
    pub(crate) fn texts(&self) -> &InstanceTexts {
        &self.texts
    }

    /// The answer to `QueryClusterInfo`, as text.
    pub(crate) fn info(&self) -> &InfoText {
        &self.info
    }

    /// Where things lie on this node.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Why what is read may be old: no majority says that this master still is one.
    #[must_use]
    pub fn doubt(&self) -> Option<Arc<str>> {
        self.doubt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on there is this doubt, or none.
    pub fn set_doubt(&self, doubt: Option<String>) {
        *self.doubt.lock().unwrap_or_else(PoisonError::into_inner) = doubt.map(Arc::from);
    }

    /// This master may not act any more; the daemon starts over (or another one has taken over).
    pub fn stop(&self, reason: String) {
        self.stopped.send_if_modified(|stopped| {
            let first = stopped.is_none();
            stopped.get_or_insert(reason);
            first
        });
    }
}
