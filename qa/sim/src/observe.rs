//! What must never happen, checked while everything runs.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use gannet_daemon::world::Seen;

use crate::state::{Facts, Life};

/// What was seen so far, and what was wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// Broken promises.
    pub(crate) wrong: Vec<String>,
    /// Calls of masters that nodes obeyed.
    pub(crate) obeyed: u64,
    /// Of everything seen and when: equal runs have equal ones.
    pub(crate) digest: u64,
    /// Epoch → who acts in it.
    masters: BTreeMap<u64, IpAddr>,
    /// Node → the highest epoch it has obeyed.
    epochs: BTreeMap<String, u64>,
    /// Locks of each job of each master: name → shared.
    locks: BTreeMap<(Life, u64), BTreeMap<String, bool>>,
}

impl Observed {
    pub(crate) fn take(&mut self, seen: Seen<'_>, now: u64, life: Option<Life>, machines: &[Facts]) {
        self.mix(&format!("{now} {seen:?}"));
        match seen {
            Seen::Obeyed { epoch, from, node } => self.obeyed(epoch, from.map(|from| from.ip()), node, now),
            Seen::Locked { job, locks } => {
                let Some(life) = life else { return };
                let locks: BTreeMap<String, bool> = locks.iter().cloned().collect();
                self.check_locks(life, job, &locks, now, machines);
                self.locks.insert((life, job), locks);
            }
            Seen::Unlocked { job } => {
                if let Some(life) = life {
                    self.locks.remove(&(life, job));
                }
            }
        }
    }

    fn mix(&mut self, text: &str) {
        let mut hasher = DefaultHasher::new();
        (self.digest, text).hash(&mut hasher);
        self.digest = hasher.finish();
    }

    /// A daemon has ended, and its locks with it.
    pub(crate) fn ended(&mut self, life: Life) {
        self.locks.retain(|(holder, _), _| *holder != life);
    }

    /// How many masters there were.
    pub(crate) fn masters(&self) -> usize {
        self.masters.len()
    }

    fn obeyed(&mut self, epoch: u64, from: Option<IpAddr>, node: &str, now: u64) {
        self.obeyed += 1;
        let highest = self.epochs.entry(node.to_owned()).or_default();
        if epoch < *highest {
            self.wrong.push(format!("{now} us: {node} obeyed a master of epoch {epoch} after one of epoch {highest}"));
        }
        *highest = epoch.max(*highest);
        let Some(from) = from else { return };
        let first = *self.masters.entry(epoch).or_insert(from);
        if first != from {
            self.wrong.push(format!("{now} us: {first} and {from} both act as the master in epoch {epoch} (on {node})"));
        }
    }

    fn check_locks(&mut self, life: Life, job: u64, wanted: &BTreeMap<String, bool>, now: u64, machines: &[Facts]) {
        for ((holder, other), held) in &self.locks {
            if *holder != life || *other == job {
                continue;
            }
            for (name, shared) in wanted {
                let level = name.split_once('/').map_or("", |(level, _)| level);
                let whole = format!("{level}/[lockset]");
                let is_whole = *name == whole;
                let clash = held.iter().find(|(lock, with)| {
                    let meets = *lock == name || **lock == whole || (is_whole && lock.starts_with(&format!("{level}/")));
                    meets && !(*shared && **with)
                });
                if let Some((lock, _)) = clash {
                    let ip = machines[life.machine].ip;
                    self.wrong.push(format!("{now} us: on {ip} job {job} got {name} while job {other} has {lock}"));
                }
            }
        }
    }
}
