//! The jobs in memory and the scheduler over them, under one mutex.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use gannet_core::config::{Config, FilterRule};
use gannet_core::id::{FilterUuid, JobId};
use gannet_core::opcode::JobRef;

use super::lane::{Verdict, judge};
use super::scheduler::{Candidate, Lane, Scheduler};
use super::{Brief, Entry, JobCell};
use crate::rule::job_filter::{self, Rule};

/// Finished jobs that stay in memory as a whole: their clients ask for the result now. Some KiB each.
const MAX_RECENT: usize = 500;

/// All jobs that are not archived. Its mutex is locked before a job's own, never after it.
#[derive(Default)]
pub(super) struct Backlog {
    pub(super) jobs: BTreeMap<JobId, Entry>,
    pub(super) scheduler: Scheduler,
    /// Finished jobs that are still there as a whole, oldest end first.
    recent: VecDeque<JobId>,
    /// The filter rules as they were compiled last, and from what.
    rules: Vec<Rule>,
    sources: Vec<Arc<FilterRule>>,
}

impl Backlog {
    /// Takes the limit and the rules over; gives the waiting jobs that a rule rejects.
    pub(super) fn configure(&mut self, config: &Config) -> Vec<(Arc<JobCell>, FilterUuid)> {
        // With none, not even the job could run that allows some.
        self.scheduler.set_limit(config.cluster().max_running_jobs.max(1) as usize);
        let sources: Vec<Arc<FilterRule>> = config.filters().cloned().collect();
        let same = sources.len() == self.sources.len() && sources.iter().zip(&self.sources).all(|(new, old)| Arc::ptr_eq(new, old));
        if same {
            return Vec::new();
        }
        let (rules, unreadable) = job_filter::compile(sources.iter().map(Arc::as_ref));
        for (uuid, error) in unreadable {
            tracing::error!(%uuid, error, "a job filter rule cannot be read; it has no effect");
        }
        self.sources = sources;
        self.rules = rules;
        let Self { jobs, scheduler, rules, .. } = self;
        let mut rejected = HashMap::new();
        let mut sort = |id: JobId| match jobs.get(&id) {
            Some(Entry::Whole(cell)) => match cell.read(|row| judge(rules, &row.job)) {
                Verdict::Queue(lane) => lane,
                Verdict::Reject(rule) => {
                    rejected.insert(id, (cell.clone(), rule));
                    Lane::Paused
                }
            },
            Some(Entry::Brief(_)) | None => Lane::OPEN,
        };
        scheduler.sort_anew(&mut sort);
        scheduler.waiting().filter_map(|id| rejected.remove(&id)).collect()
    }

    /// Queues a job; gives the rule that rejects it, if one does.
    pub(super) fn enqueue(&mut self, cell: &Arc<JobCell>) -> Option<FilterUuid> {
        let (verdict, priority, depends) = cell.read(|row| {
            let depends = row.job.ops.iter().flat_map(|op| &op.input.common.depends).filter_map(|dependency| match dependency.job {
                JobRef::Id(id) => Some(id),
                JobRef::Back(_) => None,
            });
            (judge(&self.rules, &row.job), row.job.priority(), depends.collect())
        });
        let (lane, rejected) = match verdict {
            Verdict::Queue(lane) => (lane, None),
            Verdict::Reject(rule) => (Lane::Paused, Some(rule)),
        };
        self.jobs.insert(cell.id(), Entry::Whole(cell.clone()));
        self.scheduler.add(Candidate { id: cell.id(), priority, depends, lane });
        rejected
    }

    /// A job that another master had begun.
    pub(super) fn resume(&mut self, cell: &Arc<JobCell>) {
        let (verdict, priority) = cell.read(|row| (judge(&self.rules, &row.job), row.job.priority()));
        let lane = match verdict {
            Verdict::Queue(lane) => lane,
            Verdict::Reject(_) => Lane::OPEN,
        };
        self.jobs.insert(cell.id(), Entry::Whole(cell.clone()));
        self.scheduler.add_running(cell.id(), priority, lane);
    }

    pub(super) fn next_jobs(&mut self) -> Vec<Arc<JobCell>> {
        let Self { jobs, scheduler, .. } = self;
        let next = std::iter::from_fn(|| scheduler.next());
        let cell = |id: JobId| match jobs.get(&id) {
            Some(Entry::Whole(cell)) => Some(cell.clone()),
            Some(Entry::Brief(_)) | None => None,
        };
        next.filter_map(cell).collect()
    }

    /// A job has ended. Only the last ones stay in memory as a whole.
    pub(super) fn retire(&mut self, id: JobId) {
        self.scheduler.ended(id);
        self.recent.push_back(id);
        if self.recent.len() <= MAX_RECENT {
            return;
        }
        let Some(oldest) = self.recent.pop_front() else { return };
        // It may be archived by now.
        let Some(entry) = self.jobs.get_mut(&oldest) else { return };
        if let Entry::Whole(cell) = entry {
            let brief = cell.read(|row| Brief::new(&row.job));
            *entry = Entry::Brief(Arc::new(brief));
        }
    }
}
