//! The keeper's process: answers the agent, and ends guests when the lease is over.

mod guests;
mod store;

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use gannet_core::paths::Paths;
use gannet_daemon::Signals;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use self::store::Store;
use super::clock::{BootClock, Clock};
use super::message::{Answer, Guest, MAX_LINE, Request, Stamp};
use super::state::{Grant, Lease};
use super::watchdog::{self, Watchdog};
use crate::hypervisor::Hypervisors;

/// Between two looks at the clock. Timers of the kernel stand still with a suspended machine, so none is set for longer.
const TICK: Duration = Duration::from_millis(100);
/// A guest may be started only if the lease goes on for so long: the start is most likely done then.
const ROOM_FOR_A_START: Duration = Duration::from_secs(1);
/// When the lease is over, whoever is in the middle of a start gets so long to end by itself.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Between two looks for guests that come back after their end.
const SWEEP: Duration = Duration::from_secs(2);
/// A keeper that nobody has spoken to for so long, and that has nothing to guard, ends. The agent starts one when it needs it.
const IDLE: Duration = Duration::from_secs(600);

/// Runs until it is asked to end, or nobody needs it; `stays`: also then, since a service manager would only start it again.
///
/// # Errors
/// The socket cannot be made.
pub async fn run(paths: Paths, hypervisors: Arc<Hypervisors>, signals: Signals, stays: bool) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(BootClock);
    let store = Store::new(&paths);
    let lease = Lease::resumed(store.read(), &clock.boot_id());
    tracing::info!(guarded = lease.guarded().count(), left_s = lease.left(clock.now()).as_secs(), "the keeper of the lease is up");
    let inner = Inner { lease, store, starts: HashMap::new(), next_start: 0, spoken: clock.now(), length: None };
    let keeper = Keeper { clock, inner: Arc::new(Mutex::new(inner)) };
    let listener = bind(&paths.lease_socket())?;
    gannet_daemon::notify_ready();
    tokio::select! {
        () = accept(listener, keeper.clone()) => {}
        () = watch(keeper, hypervisors, paths.run_dir(), stays) => tracing::info!("nobody needs the keeper any more"),
        () = signals.ended() => tracing::info!("asked to end; the next keeper goes on"),
    }
    Ok(())
}

fn bind(path: &Path) -> anyhow::Result<UnixListener> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", path.display()));
        }
        _ => {}
    }
    let listener = UnixListener::bind(path).with_context(|| format!("cannot listen on {}", path.display()))?;
    let only_us = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, only_us).with_context(|| format!("cannot protect {}", path.display()))?;
    Ok(listener)
}

#[derive(Clone)]
struct Keeper {
    clock: Arc<dyn Clock>,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    lease: Lease,
    store: Store,
    /// Starts that are under way, and the process that makes each.
    starts: HashMap<u64, Option<i32>>,
    next_start: u64,
    /// When the agent was last heard.
    spoken: Duration,
    /// Of the last grant.
    length: Option<Duration>,
}

impl Keeper {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Changes are made on a copy and put in place in one assignment, so what is there is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn renew(&self, grant: Option<Grant>, guard: Vec<Guest>, release: &[String]) -> Answer {
        let mut inner = self.lock();
        let now = self.clock.now();
        inner.spoken = now;
        let mut new = inner.lease.clone();
        let mut refused = String::new();
        if let Some(grant) = &grant {
            match new.grant(grant, now) {
                Ok(()) => inner.length = Some(grant.length),
                Err(error) => refused = error.to_string(),
            }
        }
        release.iter().for_each(|uuid| new.release(uuid));
        // Whoever is guarded without a lease would be ended at once.
        if new.is_valid(now) {
            guard.into_iter().for_each(|guest| new.guard(guest));
        }
        self.adopt(&mut inner, new, &mut refused);
        self.answer(&inner, refused)
    }

    /// What is acknowledged survives this process.
    fn adopt(&self, inner: &mut Inner, new: Lease, refused: &mut String) {
        if new == inner.lease {
            return;
        }
        match inner.store.write(&new) {
            Ok(()) => inner.lease = new,
            Err(error) => *refused = error.to_string(),
        }
    }

    /// Lets a guest be started; the number is to be given back to [`Self::started`].
    fn begin(&self, guest: Guest, process: Option<i32>) -> (Answer, Option<u64>) {
        let mut inner = self.lock();
        let now = self.clock.now();
        let mut refused = String::new();
        if inner.lease.left(now) < ROOM_FOR_A_START {
            refused = "this node has no lease".to_owned();
        } else {
            let mut new = inner.lease.clone();
            new.guard(guest);
            self.adopt(&mut inner, new, &mut refused);
        }
        let start = refused.is_empty().then(|| {
            let number = inner.next_start;
            inner.next_start += 1;
            inner.starts.insert(number, process);
            number
        });
        (self.answer(&inner, refused), start)
    }

    fn started(&self, number: u64) {
        self.lock().starts.remove(&number);
    }

    fn answer(&self, inner: &Inner, refused: String) -> Answer {
        let now = self.clock.now();
        Answer {
            stamp: Stamp { boot_id: self.clock.boot_id(), at: now },
            left: inner.lease.left(now),
            guarded: inner.lease.guarded().map(|guest| guest.uuid.clone()).collect(),
            refused,
        }
    }
}

async fn accept(listener: UnixListener, keeper: Keeper) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let keeper = keeper.clone();
                tokio::spawn(async move {
                    if let Err(error) = serve(stream, &keeper).await {
                        tracing::warn!(%error, "a connection of the agent broke");
                    }
                });
            }
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(TICK).await;
            }
        }
    }
}

async fn serve(stream: UnixStream, keeper: &Keeper) -> std::io::Result<()> {
    let process = stream.peer_cred()?.pid();
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut reader).take(MAX_LINE).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let request = serde_json::from_str(&line).map_err(std::io::Error::other)?;
        let (answer, start) = match request {
            Request::Renew { grant, guard, release } => (keeper.renew(grant, guard, &release), None),
            Request::Begin { guest } => keeper.begin(guest, process),
        };
        let mut text = serde_json::to_string(&answer).map_err(std::io::Error::other)?;
        text.push('\n');
        let written = writer.write_all(text.as_bytes()).await;
        if let Some(start) = start {
            // The start is over when its connection is.
            let ended = reader.read_line(&mut line).await;
            keeper.started(start);
            written?;
            return ended.map(|_| ());
        }
        written?;
    }
}

/// Looks at the clock until nobody needs this any more.
async fn watch(keeper: Keeper, hypervisors: Arc<Hypervisors>, run_dir: PathBuf, stays: bool) {
    let mut over: Option<Over> = None;
    let mut dog: Option<Result<Watchdog, ()>> = None;
    loop {
        let now = keeper.clock.now();
        let (left, guarded, starts, spoken, length) = {
            let inner = keeper.lock();
            let guarded: Vec<Guest> = inner.lease.guarded().cloned().collect();
            (inner.lease.left(now), guarded, inner.starts.values().copied().collect::<Vec<_>>(), inner.spoken, inner.length)
        };
        if left.is_zero() && !guarded.is_empty() {
            let state = over.get_or_insert_with(|| {
                tracing::warn!(guests = guarded.len(), "the lease is over: guests with automatic failover are ended here");
                Over { since: now, looked: None, ended: false }
            });
            if !starts.is_empty() && now.saturating_sub(state.since) >= LAST_WORDS {
                end_starters(&starts);
            }
            if !state.ended || state.looked.is_none_or(|looked| now.saturating_sub(looked) >= SWEEP) {
                let ended = guests::end_all(&hypervisors, &guarded).await && starts.is_empty();
                if ended && !state.ended {
                    tracing::info!(guests = guarded.len(), "no guest with automatic failover runs here any more");
                }
                (state.ended, state.looked) = (ended, Some(now));
            }
        } else {
            over = None;
        }
        if let Some(length) = length {
            let dog = dog.get_or_insert_with(|| open_dog(length));
            let all_ended = guarded.is_empty() || over.as_ref().is_some_and(|over| over.ended);
            if let Ok(dog) = dog
                && dog.may_feed(left, all_ended)
                && let Err(error) = dog.feed()
            {
                tracing::error!(%error, "the watchdog could not be fed");
            }
        }
        let quiet = guarded.is_empty() || over.as_ref().is_some_and(|over| over.ended);
        let is_idle = !stays && left.is_zero() && quiet && now.saturating_sub(spoken) >= IDLE;
        // A node that has left its cluster, or a virtual one that was taken away.
        if is_idle || !run_dir.exists() {
            if let Some(Ok(dog)) = dog
                && let Err(error) = dog.goodbye()
            {
                tracing::error!(%error, "the watchdog could not be stopped");
            }
            return;
        }
        tokio::time::sleep(TICK).await;
    }
}

/// The lease is over.
struct Over {
    since: Duration,
    looked: Option<Duration>,
    ended: bool,
}

/// Whoever asked before the end and is not done yet must not start a guest any more.
fn end_starters(starts: &[Option<i32>]) {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    for process in starts.iter().flatten().filter(|process| **process > 1 && **process != own) {
        tracing::warn!(process, "killed: it was starting a guest when the lease ended");
        // ESRCH: it has ended meanwhile.
        let _ = kill(Pid::from_raw(*process), Signal::SIGKILL);
    }
}

/// Opened once; one that cannot be used is complained about once, and leases go on without it.
fn open_dog(length: Duration) -> Result<Watchdog, ()> {
    let Some(device) = std::env::var_os(watchdog::VARIABLE).filter(|device| !device.is_empty()) else { return Err(()) };
    let opened = Watchdog::open(Path::new(&device), Path::new("/sys"), length);
    opened
        .map_err(|error| tracing::error!(%error, "no watchdog: a keeper that is killed together with the agent leaves its guests running"))
}

#[cfg(test)]
mod tests;
