//! The lock manager: who may work on what.
//!
//! A job asks for all its locks at once and gets all of them at once, so no job holds some while it waits for others and
//! there is no deadlock. Who asks first with the same priority is served first: a waiter is passed over only for jobs whose
//! locks do not touch its own. Locks live in memory; a new master starts with none.

mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use gannet_core::id::JobId;
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_daemon::world::{self, Mistake, Seen};
use tokio::sync::oneshot;

use table::Table;

/// Who asks, and how urgently. Smaller is served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// -20 (first) to 19.
    pub priority: i32,
    /// Older jobs first.
    pub job: JobId,
    /// Position of the opcode in the job.
    pub op: usize,
}

/// Hands out locks. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct LockManager {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    held: Table,
    waiting: BTreeMap<Claim, Waiter>,
}

#[derive(Debug)]
struct Waiter {
    set: LockSet,
    grant: oneshot::Sender<Grant>,
}

/// Locks that are held; dropping it gives them back.
#[derive(Debug)]
pub struct Grant {
    manager: LockManager,
    claim: Claim,
    locks: BTreeMap<Lock, Mode>,
}

/// One line of `gnt-debug locks`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockInfo {
    /// The lock.
    pub lock: Lock,
    /// How it is held, if it is.
    pub mode: Option<Mode>,
    /// Jobs that hold it.
    pub owners: Vec<JobId>,
    /// Jobs that wait for it, and how they want it, the next one first.
    pub pending: Vec<(Mode, JobId)>,
}

impl LockManager {
    /// Waits until all of `set` can be had, and takes it. Dropping the future takes the claim back.
    pub async fn acquire(&self, claim: Claim, set: LockSet) -> Grant {
        let receiver = {
            let mut inner = self.lock();
            let (sender, receiver) = oneshot::channel();
            let previous = inner.waiting.insert(claim, Waiter { set, grant: sender });
            assert!(previous.is_none(), "an opcode asks for its locks once at a time: {claim:?}");
            inner.serve(self);
            receiver
        };
        let waiting = Waiting { manager: self, claim };
        // The sender is dropped only together with the claim, by `Waiting`, which lives as long as this future.
        let grant = receiver.await.expect("a claim is dropped only by its own future");
        std::mem::forget(waiting);
        grant
    }

    /// Changes the priority of a waiting claim; nothing happens when it does not wait (any more).
    pub fn reprioritise(&self, claim: Claim, priority: i32) {
        let mut inner = self.lock();
        if let Some(waiter) = inner.waiting.remove(&claim) {
            inner.waiting.insert(Claim { priority, ..claim }, waiter);
            inner.serve(self);
        }
    }

    /// Every lock that is held or waited for, in the order of the levels.
    #[must_use]
    pub fn info(&self) -> Vec<LockInfo> {
        let inner = self.lock();
        let mut all: BTreeMap<Lock, LockInfo> = BTreeMap::new();
        let blank = |lock: &Lock| LockInfo { lock: lock.clone(), mode: None, owners: Vec::new(), pending: Vec::new() };
        for (lock, mode, owners) in inner.held.iter() {
            let info = all.entry(lock.clone()).or_insert_with(|| blank(lock));
            info.mode = Some(mode);
            info.owners = owners.map(|claim| claim.job).collect();
        }
        for (claim, waiter) in &inner.waiting {
            for (lock, mode) in waiter.set.needed() {
                all.entry(lock.clone()).or_insert_with(|| blank(lock)).pending.push((mode, claim.job));
            }
        }
        all.into_values().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Takes a claim back when its future is dropped while it waits (or between the grant and its arrival).
struct Waiting<'a> {
    manager: &'a LockManager,
    claim: Claim,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut inner = self.manager.lock();
        // The priority may have been changed meanwhile: find the claim by its job.
        let found = inner.waiting.keys().find(|claim| claim.job == self.claim.job && claim.op == self.claim.op).copied();
        if let Some(claim) = found {
            inner.waiting.remove(&claim);
            inner.serve(self.manager);
        }
    }
}

impl Inner {
    /// Grants what can be granted, in order; what stays waiting keeps its place against those behind it.
    fn serve(&mut self, manager: &LockManager) {
        let mut ahead = Table::default();
        let mut granted = Vec::new();
        for (claim, waiter) in &self.waiting {
            let free = waiter.set.needed().all(|(lock, mode)| self.held.admits(lock, mode) && ahead.admits(lock, mode))
                || world::makes(Mistake::LocksIgnored);
            if free {
                let mut locks: BTreeMap<Lock, Mode> = waiter.set.needed().map(|(lock, mode)| (lock.clone(), mode)).collect();
                for (lock, mode) in waiter.set.optional() {
                    if !locks.contains_key(lock) && self.held.admits(lock, mode) && ahead.admits(lock, mode) {
                        locks.insert(lock.clone(), mode);
                    }
                }
                self.held.take(*claim, &locks);
                granted.push((*claim, locks));
            } else {
                ahead.take(*claim, &waiter.set.needed().map(|(lock, mode)| (lock.clone(), mode)).collect());
            }
        }
        for (claim, locks) in granted {
            // It was in the map a moment ago, under the same mutex.
            let Some(waiter) = self.waiting.remove(&claim) else { continue };
            tell(&claim, Some(&locks));
            let grant = Grant { manager: manager.clone(), claim, locks };
            if let Err(unwanted) = waiter.grant.send(grant) {
                // The future is being dropped: give the locks back without locking the mutex a second time.
                self.held.release(unwanted.claim, &unwanted.locks);
                tell(&unwanted.claim, None);
                std::mem::forget(unwanted);
            }
        }
    }
}

impl Grant {
    /// The locks that were taken, optional ones among them.
    #[must_use]
    pub fn locks(&self) -> &BTreeMap<Lock, Mode> {
        &self.locks
    }

    /// Whether `lock`, or its whole level, is held.
    #[must_use]
    pub fn covers(&self, lock: &Lock) -> bool {
        self.locks.contains_key(lock) || lock.level().is_some_and(|level| self.locks.contains_key(&level))
    }

    /// Gives some locks back early.
    pub fn release(&mut self, which: impl Fn(&Lock) -> bool) {
        let (gone, kept) = std::mem::take(&mut self.locks).into_iter().partition(|(lock, _)| which(lock));
        self.locks = kept;
        tell(&self.claim, Some(&self.locks));
        let mut inner = self.manager.lock();
        inner.held.release(self.claim, &gone);
        inner.serve(&self.manager);
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        tell(&self.claim, None);
        let mut inner = self.manager.lock();
        inner.held.release(self.claim, &self.locks);
        inner.serve(&self.manager);
    }
}

/// Tells a simulator which locks a job has now, `None` for none.
fn tell(claim: &Claim, locks: Option<&BTreeMap<Lock, Mode>>) {
    let Some(world) = world::get() else { return };
    let job = claim.job.0;
    match locks {
        Some(locks) => {
            let locks: Vec<_> = locks.iter().map(|(lock, mode)| (lock.to_string(), *mode == Mode::Shared)).collect();
            world.sees(Seen::Locked { job, locks: &locks });
        }
        None => world.sees(Seen::Unlocked { job }),
    }
}

#[cfg(test)]
mod tests;
