//! Worker threads: where libvirt's blocking calls are made.
//!
//! A guest has up to three workers, each with a connection of its own (the daemon answers only a handful of requests at a
//! time per connection, so a shared one could be filled by hung calls):
//!
//! | lane | calls |
//! |---|---|
//! | `Query` | reads |
//! | `Change` | start, devices, memory, migration |
//! | `Control` | destroy, abort: must get through while a change hangs |
//!
//! A worker ends after [`IDLE`] without work.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use virt::connect::Connect;
use virt::domain::Domain;

use crate::Error;

/// How long a worker (and its connection, some 100 KiB at both ends) is kept for the next call.
const IDLE: Duration = Duration::from_secs(20);
/// Stack of a worker. libvirt parses XML on it, Rust's default of 2 MiB would be more than needed.
const STACK_BYTES: usize = 1024 * 1024;
/// Seconds between keepalive probes and how many may be lost: a stopped daemon is given up after about 18 s.
const KEEPALIVE: (i32, u32) = (6, 3);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    Query,
    Change,
    Control,
}

/// A call as its closure sees it: a connection that was alive a moment ago, and the names for error messages.
pub(crate) struct Call<'a> {
    pub(crate) conn: &'a Connect,
    pub(crate) name: &'static str,
    pub(crate) domain: &'a str,
}

impl Call<'_> {
    /// libvirt's result as ours.
    pub(crate) fn check<T>(&self, result: Result<T, virt::error::Error>) -> Result<T, Error> {
        result.map_err(|error| Error::libvirt(self.name, self.domain, &error))
    }

    /// The domain this call is about.
    pub(crate) fn lookup(&self) -> Result<Domain, Error> {
        self.check(self.conn.lookup_domain_by_name(self.domain))
    }

    /// Like [`Call::lookup`]; `None` if there is none of that name.
    pub(crate) fn find(&self) -> Result<Option<Domain>, Error> {
        match self.lookup() {
            Ok(domain) => Ok(Some(domain)),
            Err(error) if error.is_no_domain() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

type Task = Box<dyn FnOnce(&mut Link) + Send>;
type Lanes = HashMap<(String, Lane), Worker>;

struct Worker {
    tasks: Sender<Task>,
    /// What it is doing now, for the error of those who waited in vain.
    busy: Arc<Mutex<Option<&'static str>>>,
}

/// The workers of one libvirtd.
#[derive(Clone)]
pub(crate) struct Pool {
    uri: Arc<str>,
    lanes: Arc<Mutex<Lanes>>,
}

/// Is a task waiting, has it begun, or did its caller give up?
#[derive(Default)]
struct Turn(AtomicU8);
const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const ABANDONED: u8 = 2;

impl Turn {
    fn take(&self, to: u8) -> bool {
        self.0.compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// Abandons a waiting task when its caller's future is dropped.
struct Abandon(Arc<Turn>);
impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.take(ABANDONED);
    }
}

impl Pool {
    pub(crate) fn new(uri: &str) -> Pool {
        Pool { uri: uri.into(), lanes: Arc::default() }
    }

    /// Runs `work` on the worker of `domain` and `lane`. When the deadline passes first the answer is `Timeout`; a task
    /// that had not begun then never will, one that had goes on and its result is lost.
    pub(crate) async fn run<T, F>(&self, name: &'static str, domain: &str, lane: Lane, deadline: Duration, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Call<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let turn = Arc::new(Turn::default());
        let begun = turn.clone();
        let owned = domain.to_owned();
        let task: Task = Box::new(move |link| {
            if begun.take(BEGUN) {
                let result = link.call(name, &owned, work);
                if answer.send(result).is_err() {
                    tracing::warn!(call = name, domain = owned, "libvirt answered after the deadline");
                }
            }
        });
        let busy = self.submit(name, domain, lane, task)?;
        let abandon = Abandon(turn);
        let result = match tokio::time::timeout(deadline, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(worker_error(name, domain, "its worker ended without an answer")),
            Err(_) => Err(Error::Timeout {
                call: name,
                domain: domain.to_owned(),
                after_s: deadline.as_secs(),
                behind: if abandon.0.take(ABANDONED) { *lock(&busy) } else { None },
            }),
        };
        drop(abandon);
        result
    }

    fn submit(&self, name: &'static str, domain: &str, lane: Lane, task: Task) -> Result<Arc<Mutex<Option<&'static str>>>, Error> {
        let key = (domain.to_owned(), lane);
        let mut lanes = lock(&self.lanes);
        let task = match lanes.get(&key) {
            None => task,
            Some(worker) => {
                let tagged = tag(name, worker.busy.clone(), task);
                match worker.tasks.send(tagged) {
                    Ok(()) => return Ok(worker.busy.clone()),
                    // its thread died (it never ends with its entry in the map otherwise): start another
                    Err(failed) => failed.0,
                }
            }
        };
        let (tasks, receiver) = channel();
        let busy: Arc<Mutex<Option<&'static str>>> = Arc::default();
        let mut link = Link { uri: self.uri.clone(), conn: None };
        let (all, own_key) = (self.lanes.clone(), key.clone());
        std::thread::Builder::new()
            .name(format!("virt-{lane:?}").to_lowercase())
            .stack_size(STACK_BYTES)
            .spawn(move || work(&receiver, &mut link, &all, &own_key))
            .map_err(|error| worker_error(name, domain, &format!("cannot start a thread: {error}")))?;
        if tasks.send(tag(name, busy.clone(), task)).is_err() {
            return Err(worker_error(name, domain, "its worker ended at once"));
        }
        lanes.insert(key, Worker { tasks, busy: busy.clone() });
        Ok(busy)
    }
}

/// Notes in `busy` what runs, while it runs.
fn tag(name: &'static str, busy: Arc<Mutex<Option<&'static str>>>, task: Task) -> Task {
    struct Idle(Arc<Mutex<Option<&'static str>>>);
    impl Drop for Idle {
        fn drop(&mut self) {
            *lock(&self.0) = None; // also after a panic
        }
    }
    Box::new(move |link| {
        *lock(&busy) = Some(name);
        let _idle = Idle(busy);
        task(link);
    })
}

fn work(tasks: &Receiver<Task>, link: &mut Link, lanes: &Mutex<Lanes>, key: &(String, Lane)) {
    loop {
        match tasks.recv_timeout(IDLE) {
            Ok(task) => {
                // virt panics on what it holds impossible; the caller sees its channel closed
                if std::panic::catch_unwind(AssertUnwindSafe(|| task(link))).is_err() {
                    tracing::error!(domain = key.0, "a libvirt call panicked");
                    link.conn = None;
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                let mut lanes = lock(lanes);
                // tasks are sent under this lock: either one is here already, or none comes through this channel again
                match tasks.try_recv() {
                    Ok(task) => {
                        drop(lanes);
                        task(link);
                    }
                    Err(_) => {
                        lanes.remove(key);
                        return;
                    }
                }
            }
        }
    }
}

/// A worker's own connection, opened when first needed and again after it broke.
pub(crate) struct Link {
    uri: Arc<str>,
    conn: Option<Connect>,
}

impl Link {
    fn call<T>(&mut self, name: &'static str, domain: &str, work: impl FnOnce(&Call<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let conn = match self.conn.take() {
            Some(conn) if conn.is_alive().unwrap_or(false) => conn,
            _ => open(&self.uri)?,
        };
        let conn = self.conn.insert(conn);
        let result = work(&Call { conn, name, domain });
        if result.as_ref().is_err_and(Error::is_disconnected) {
            self.conn = None;
        }
        result
    }
}

/// Opens a connection; blocks. The event loop must be running.
pub(crate) fn open(uri: &str) -> Result<Connect, Error> {
    let conn =
        Connect::open(Some(uri)).map_err(|error| Error::Disconnected { uri: uri.to_owned(), message: error.message().to_owned() })?;
    if let Err(error) = conn.set_keep_alive(KEEPALIVE.0, KEEPALIVE.1) {
        // drivers without a daemon (test, embed) have none
        tracing::debug!(uri, %error, "no keepalive on this connection");
    }
    Ok(conn)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // each critical section here is one assignment or map operation: nothing is left half done by a panic
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn worker_error(call: &'static str, domain: &str, reason: &str) -> Error {
    Error::Worker { call, domain: domain.to_owned(), reason: reason.to_owned() }
}
