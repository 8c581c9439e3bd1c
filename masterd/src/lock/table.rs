//! Which locks are taken by whom, with the rule that a whole level and its members exclude each other.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use gannet_core::lock::{Lock, Mode};

use super::Claim;

#[derive(Debug, Default)]
pub(super) struct Table {
    taken: BTreeMap<Lock, Taken>,
}

#[derive(Debug)]
struct Taken {
    mode: Mode,
    owners: BTreeSet<Claim>,
}

impl Table {
    /// Whether `lock` can be taken in `mode` beside what is taken.
    pub(super) fn admits(&self, lock: &Lock, mode: Mode) -> bool {
        let compatible = |taken: &Taken| mode == Mode::Shared && taken.mode == Mode::Shared;
        if self.taken.get(lock).is_some_and(|taken| !compatible(taken)) {
            return false;
        }
        match lock.level() {
            Some(level) => self.taken.get(&level).is_none_or(compatible),
            // Members follow their level in the order of locks, up to the next level.
            None => self.members(lock).all(compatible),
        }
    }

    fn members<'a>(&'a self, level: &'a Lock) -> impl Iterator<Item = &'a Taken> {
        self.taken
            .range((Bound::Excluded(level), Bound::Unbounded))
            .take_while(move |(lock, _)| lock.level().as_ref() == Some(level))
            .map(|(_, taken)| taken)
    }

    pub(super) fn take(&mut self, claim: Claim, locks: &BTreeMap<Lock, Mode>) {
        for (lock, mode) in locks {
            let taken = self.taken.entry(lock.clone()).or_insert_with(|| Taken { mode: *mode, owners: BTreeSet::new() });
            // Also used for what waiters want, where an exclusive wish may stand beside shared ones.
            taken.mode = taken.mode.max(*mode);
            taken.owners.insert(claim);
        }
    }

    pub(super) fn release(&mut self, claim: Claim, locks: &BTreeMap<Lock, Mode>) {
        for lock in locks.keys() {
            if let Some(taken) = self.taken.get_mut(lock) {
                taken.owners.remove(&claim);
                if taken.owners.is_empty() {
                    self.taken.remove(lock);
                }
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Lock, Mode, impl Iterator<Item = &Claim>)> {
        self.taken.iter().map(|(lock, taken)| (lock, taken.mode, taken.owners.iter()))
    }
}
