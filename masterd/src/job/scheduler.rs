//! Which job begins next: a function of what is known of the jobs, without clocks, tasks or the store.
//!
//! ```text
//!   add ──> blocked (by jobs that have not ended) ──> ready ── next ──> running ── ended ──> forgotten
//!                                                       └──────── withdraw ──────────────────┘
//! ```
//!
//! Ganeti: a job is eligible when no job that one of its opcodes depends on is in the queue any more; eligible jobs begin by
//! priority, then by age, as long as fewer than `max_running_jobs` have begun and not ended. A job that waits for locks has
//! begun. Job filters and rate limits hold jobs back one by one; a job that is held back holds up no other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gannet_core::id::{FilterUuid, JobId};

/// What a job has to share with others: at most `limit` jobs with the same key run at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bucket {
    /// Whose limit it is.
    pub(crate) key: BucketKey,
    /// How many, at least 1.
    pub(crate) limit: u32,
}

/// Whose limit it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum BucketKey {
    /// A filter rule with the action `RATE_LIMIT`.
    Rule(FilterUuid),
    /// A reason of the form `rate-limit:N:text`, which jobs bring themselves.
    Reason(String),
}

/// Whether a job may begin, apart from the limit of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Lane {
    /// Within these limits; without any, whenever it is its turn.
    Within(Vec<Bucket>),
    /// Not until the rules change.
    Paused,
}

impl Lane {
    /// The lane of nearly every job.
    pub(crate) const OPEN: Self = Self::Within(Vec::new());

    fn buckets(&self) -> &[Bucket] {
        match self {
            Self::Within(buckets) => buckets,
            Self::Paused => &[],
        }
    }
}

/// A job that is about to be queued.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) id: JobId,
    pub(crate) priority: i32,
    /// Jobs that must have ended before; those that have are passed over.
    pub(crate) depends: Vec<JobId>,
    pub(crate) lane: Lane,
}

#[derive(Debug)]
struct Entry {
    priority: i32,
    lane: Lane,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// By so many jobs.
    Blocked(usize),
    Ready,
    Running,
    /// Taken out; those that wait for it wait until its end is written.
    Withdrawn,
}

/// All jobs that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    limit: usize,
    jobs: HashMap<JobId, Entry>,
    ready: BTreeMap<Lane, BTreeSet<(i32, JobId)>>,
    running: usize,
    used: HashMap<BucketKey, u32>,
    dependents: HashMap<JobId, Vec<JobId>>,
}

impl Scheduler {
    /// At most `limit` jobs begin before others have ended. A lower limit than before stops no job.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Queues a job.
    pub(crate) fn add(&mut self, job: Candidate) {
        let Candidate { id, priority, depends, lane } = job;
        let depends: BTreeSet<JobId> = depends.into_iter().filter(|other| *other != id && self.jobs.contains_key(other)).collect();
        for other in &depends {
            self.dependents.entry(*other).or_default().push(id);
        }
        let stage = if depends.is_empty() { Stage::Ready } else { Stage::Blocked(depends.len()) };
        if stage == Stage::Ready {
            self.ready.entry(lane.clone()).or_default().insert((priority, id));
        }
        let previous = self.jobs.insert(id, Entry { priority, lane, stage });
        debug_assert!(previous.is_none(), "job {id} is queued once");
    }

    /// A job that another master had begun: it goes on whatever the limits say.
    pub(crate) fn add_running(&mut self, id: JobId, priority: i32, lane: Lane) {
        self.occupy(&lane);
        self.jobs.insert(id, Entry { priority, lane, stage: Stage::Running });
    }

    /// The job that begins now, if one may.
    pub(crate) fn next(&mut self) -> Option<JobId> {
        if self.running >= self.limit {
            return None;
        }
        let open = |lane: &&Lane| match lane {
            Lane::Within(buckets) => buckets.iter().all(|bucket| self.used.get(&bucket.key).copied().unwrap_or(0) < bucket.limit),
            Lane::Paused => false,
        };
        let (lane, first) = self
            .ready
            .iter()
            .filter(|(lane, _)| open(lane))
            .filter_map(|(lane, jobs)| jobs.first().map(|first| (lane, *first)))
            .min_by_key(|(_, first)| *first)?;
        let lane = lane.clone();
        self.unready(&lane, first);
        self.occupy(&lane);
        let entry = self.jobs.get_mut(&first.1).expect("what is ready is known");
        entry.stage = Stage::Running;
        Some(first.1)
    }

    /// Takes a job out that has not begun, so that it never will; false when it has, or is not known. [`Self::ended`] follows
    /// when its end is written.
    pub(crate) fn withdraw(&mut self, id: JobId) -> bool {
        let Some(entry) = self.jobs.get_mut(&id) else { return false };
        let (stage, key, lane) = (entry.stage, (entry.priority, id), entry.lane.clone());
        match stage {
            Stage::Running | Stage::Withdrawn => return false,
            Stage::Blocked(_) | Stage::Ready => entry.stage = Stage::Withdrawn,
        }
        if stage == Stage::Ready {
            self.unready(&lane, key);
        }
        true
    }

    /// A job has ended; those that waited for it alone are ready.
    pub(crate) fn ended(&mut self, id: JobId) {
        let Some(entry) = self.jobs.remove(&id) else { return };
        match entry.stage {
            Stage::Running => self.vacate(&entry.lane),
            Stage::Ready => self.unready(&entry.lane, (entry.priority, id)),
            Stage::Blocked(_) | Stage::Withdrawn => {}
        }
        for dependent in self.dependents.remove(&id).unwrap_or_default() {
            let Some(entry) = self.jobs.get_mut(&dependent) else { continue };
            let Stage::Blocked(count) = entry.stage else { continue };
            if count > 1 {
                entry.stage = Stage::Blocked(count - 1);
            } else {
                entry.stage = Stage::Ready;
                self.ready.entry(entry.lane.clone()).or_default().insert((entry.priority, dependent));
            }
        }
    }

    /// Changes a job's priority.
    pub(crate) fn reprioritise(&mut self, id: JobId, priority: i32) {
        let Some(entry) = self.jobs.get_mut(&id) else { return };
        let old = std::mem::replace(&mut entry.priority, priority);
        if entry.stage == Stage::Ready {
            let lane = entry.lane.clone();
            self.unready(&lane, (old, id));
            self.ready.entry(lane).or_default().insert((priority, id));
        }
    }

    /// The rules have changed: gives every job, also those that have begun, its lane anew.
    pub(crate) fn sort_anew(&mut self, mut lane_of: impl FnMut(JobId) -> Lane) {
        self.ready.clear();
        self.used.clear();
        self.running = 0;
        let mut occupied = Vec::new();
        for (id, entry) in &mut self.jobs {
            entry.lane = lane_of(*id);
            match entry.stage {
                Stage::Running => occupied.push(entry.lane.clone()),
                Stage::Ready => {
                    self.ready.entry(entry.lane.clone()).or_default().insert((entry.priority, *id));
                }
                Stage::Blocked(_) | Stage::Withdrawn => {}
            }
        }
        occupied.iter().for_each(|lane| self.occupy(lane));
    }

    /// The jobs that have not begun.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = JobId> {
        self.jobs.iter().filter(|(_, entry)| matches!(entry.stage, Stage::Blocked(_) | Stage::Ready)).map(|(id, _)| *id)
    }

    fn unready(&mut self, lane: &Lane, key: (i32, JobId)) {
        if let Some(jobs) = self.ready.get_mut(lane) {
            jobs.remove(&key);
            // Lanes of rules that are gone must not pile up: `next` looks at each.
            if jobs.is_empty() {
                self.ready.remove(lane);
            }
        }
    }

    fn occupy(&mut self, lane: &Lane) {
        self.running += 1;
        for bucket in lane.buckets() {
            *self.used.entry(bucket.key.clone()).or_default() += 1;
        }
    }

    fn vacate(&mut self, lane: &Lane) {
        self.running -= 1;
        for bucket in lane.buckets() {
            if let Some(count) = self.used.get_mut(&bucket.key) {
                *count -= 1;
                if *count == 0 {
                    self.used.remove(&bucket.key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
