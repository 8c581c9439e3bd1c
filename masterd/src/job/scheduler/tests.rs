use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn candidate(id: u64, priority: i32, depends: &[u64], lane: Lane) -> Candidate {
    Candidate { id: JobId(id), priority, depends: depends.iter().copied().map(JobId).collect(), lane }
}

fn open(id: u64, priority: i32, depends: &[u64]) -> Candidate {
    candidate(id, priority, depends, Lane::OPEN)
}

fn bucket(name: &str, limit: u32) -> Bucket {
    Bucket { key: BucketKey::Reason(name.to_owned()), limit }
}

fn limited(name: &str, limit: u32) -> Lane {
    Lane::Within(vec![bucket(name, limit)])
}

fn all_next(scheduler: &mut Scheduler) -> Vec<u64> {
    std::iter::from_fn(|| scheduler.next()).map(|id| id.0).collect()
}

fn with_limit(limit: usize) -> Scheduler {
    let mut scheduler = Scheduler::default();
    scheduler.set_limit(limit);
    scheduler
}

#[test]
fn the_most_urgent_begins_first_then_the_oldest() {
    let mut scheduler = with_limit(2);
    for (id, priority) in [(1, 0), (2, 10), (3, -10), (4, 0), (5, -10)] {
        scheduler.add(open(id, priority, &[]));
    }
    assert_eq!(all_next(&mut scheduler), [3, 5]);
    scheduler.ended(JobId(3));
    assert_eq!(all_next(&mut scheduler), [1]);
    scheduler.reprioritise(JobId(2), -20);
    scheduler.set_limit(3);
    assert_eq!(all_next(&mut scheduler), [2], "a higher limit and a new priority count at once");
    scheduler.set_limit(1);
    scheduler.ended(JobId(1));
    scheduler.ended(JobId(2));
    assert_eq!(all_next(&mut scheduler), [0_u64; 0], "one still runs, and one may");
    scheduler.ended(JobId(5));
    assert_eq!(all_next(&mut scheduler), [4]);
}

#[test]
fn a_job_that_waits_for_others_takes_no_place() {
    let mut scheduler = with_limit(2);
    scheduler.add(open(1, 0, &[]));
    scheduler.add(open(2, -10, &[1]));
    scheduler.add(open(3, 0, &[1, 2]));
    scheduler.add(open(4, 0, &[99]));
    assert_eq!(all_next(&mut scheduler), [1, 4], "a dependency that is not in the queue has ended");
    scheduler.ended(JobId(4));
    assert_eq!(all_next(&mut scheduler), [0_u64; 0]);
    scheduler.ended(JobId(1));
    assert_eq!(all_next(&mut scheduler), [2]);
    scheduler.ended(JobId(2));
    assert_eq!(all_next(&mut scheduler), [3]);
}

#[test]
fn a_withdrawn_job_never_begins_and_its_dependents_wait_for_its_end() {
    let mut scheduler = with_limit(5);
    scheduler.set_limit(0);
    scheduler.add(open(1, 0, &[]));
    scheduler.add(open(2, 0, &[1]));
    assert!(scheduler.withdraw(JobId(1)));
    assert!(!scheduler.withdraw(JobId(1)), "once");
    scheduler.set_limit(5);
    assert_eq!(all_next(&mut scheduler), [0_u64; 0]);
    scheduler.ended(JobId(1));
    assert_eq!(all_next(&mut scheduler), [2]);
    assert!(!scheduler.withdraw(JobId(2)), "it has begun");
}

#[test]
fn a_job_that_is_held_back_holds_up_no_other() {
    let mut scheduler = with_limit(9);
    scheduler.add(candidate(1, -10, &[], Lane::Paused));
    scheduler.add(candidate(2, 0, &[], limited("disks", 1)));
    scheduler.add(candidate(3, 0, &[], limited("disks", 1)));
    scheduler.add(candidate(4, 0, &[], Lane::Within(vec![bucket("disks", 1), bucket("other", 1)])));
    scheduler.add(open(5, 10, &[]));
    assert_eq!(all_next(&mut scheduler), [2, 5]);
    scheduler.ended(JobId(2));
    assert_eq!(all_next(&mut scheduler), [3]);
    scheduler.sort_anew(|id| if id == JobId(3) { limited("disks", 2) } else { limited("disks", 1) });
    assert_eq!(all_next(&mut scheduler), [0_u64; 0], "what runs counts under the new rules");
    scheduler.sort_anew(|_| Lane::OPEN);
    assert_eq!(all_next(&mut scheduler), [1, 4]);
}

#[test]
fn jobs_of_an_earlier_master_go_on_whatever_the_limit_is() {
    let mut scheduler = with_limit(1);
    scheduler.add_running(JobId(1), 0, Lane::OPEN);
    scheduler.add_running(JobId(2), 0, Lane::OPEN);
    scheduler.add(open(3, 0, &[]));
    scheduler.ended(JobId(1));
    assert_eq!(all_next(&mut scheduler), [0_u64; 0]);
    scheduler.ended(JobId(2));
    assert_eq!(all_next(&mut scheduler), [3]);
}

/// What happens to a scheduler.
#[derive(Debug, Clone)]
enum Event {
    Add { priority: i32, back: Option<u64>, lane: Lane },
    End(usize),
    Withdraw(u64),
    Priority(u64, i32),
    Limit(usize),
    Rules(u32),
}

fn event() -> impl Strategy<Value = Event> {
    let lane = prop_oneof![
        4 => Just(Lane::OPEN),
        1 => Just(Lane::Paused),
        2 => (0..2_u32, 1..3_u32).prop_map(|(name, limit)| limited(&format!("b{name}"), limit)),
    ];
    prop_oneof![
        6 => (-20..20_i32, proptest::option::of(1..4_u64), lane).prop_map(|(priority, back, lane)| Event::Add { priority, back, lane }),
        6 => (0..8_usize).prop_map(Event::End),
        1 => (1..40_u64).prop_map(Event::Withdraw),
        2 => (1..40_u64, -20..20_i32).prop_map(|(id, priority)| Event::Priority(id, priority)),
        1 => (0..6_usize).prop_map(Event::Limit),
        1 => (1..4_u32).prop_map(Event::Rules),
    ]
}

/// The rules in the plainest form: looks at all jobs, every time.
#[derive(Default)]
struct Model {
    limit: usize,
    jobs: BTreeMap<JobId, ModelJob>,
}

struct ModelJob {
    priority: i32,
    depends: Vec<JobId>,
    lane: Lane,
    running: bool,
    withdrawn: bool,
}

impl Model {
    fn next(&mut self) -> Option<JobId> {
        let running: Vec<&ModelJob> = self.jobs.values().filter(|job| job.running).collect();
        if running.len() >= self.limit {
            return None;
        }
        let full = |bucket: &Bucket| {
            let users = running.iter().filter(|job| job.lane.buckets().iter().any(|used| used.key == bucket.key));
            users.count() >= bucket.limit as usize
        };
        let eligible = |(_, job): &(&JobId, &ModelJob)| {
            !job.running
                && !job.withdrawn
                && job.depends.iter().all(|other| !self.jobs.contains_key(other))
                && job.lane != Lane::Paused
                && !job.lane.buckets().iter().any(full)
        };
        let id = self.jobs.iter().filter(eligible).map(|(id, job)| (job.priority, *id)).min()?.1;
        self.jobs.get_mut(&id).expect("it is there").running = true;
        Some(id)
    }
}

proptest! {
    /// The scheduler picks what the model picks, whatever happens.
    #[test]
    fn the_scheduler_does_as_the_rules_say(events in proptest::collection::vec(event(), 1..80)) {
        let mut scheduler = with_limit(3);
        let mut model = Model { limit: 3, ..Model::default() };
        let mut last = 0;
        for event in events {
            match event {
                Event::Add { priority, back, lane } => {
                    last += 1;
                    let depends: Vec<JobId> = back.and_then(|back| u64::checked_sub(last, back)).filter(|id| *id > 0).map(JobId).into_iter().collect();
                    scheduler.add(Candidate { id: JobId(last), priority, depends: depends.clone(), lane: lane.clone() });
                    let known = depends.into_iter().filter(|other| model.jobs.contains_key(other)).collect();
                    model.jobs.insert(JobId(last), ModelJob { priority, depends: known, lane, running: false, withdrawn: false });
                }
                Event::End(nth) => {
                    let ending = model.jobs.iter().filter(|(_, job)| job.running || job.withdrawn).map(|(id, _)| *id).nth(nth);
                    if let Some(id) = ending {
                        scheduler.ended(id);
                        model.jobs.remove(&id);
                    }
                }
                Event::Withdraw(id) => {
                    let job = model.jobs.get_mut(&JobId(id)).filter(|job| !job.running && !job.withdrawn);
                    prop_assert_eq!(scheduler.withdraw(JobId(id)), job.is_some());
                    if let Some(job) = job {
                        job.withdrawn = true;
                    }
                }
                Event::Priority(id, priority) => {
                    scheduler.reprioritise(JobId(id), priority);
                    if let Some(job) = model.jobs.get_mut(&JobId(id)) {
                        job.priority = priority;
                    }
                }
                Event::Limit(limit) => {
                    scheduler.set_limit(limit);
                    model.limit = limit;
                }
                Event::Rules(limit) => {
                    let lane = |id: JobId| if id.0.is_multiple_of(2) { limited("even", limit) } else { Lane::OPEN };
                    scheduler.sort_anew(lane);
                    model.jobs.iter_mut().for_each(|(id, job)| job.lane = lane(*id));
                }
            }
            loop {
                let next = scheduler.next();
                prop_assert_eq!(next, model.next());
                if next.is_none() {
                    break;
                }
            }
        }
        // And nothing is left behind: when all ends, all that may begin has begun.
        scheduler.sort_anew(|_| Lane::OPEN);
        scheduler.set_limit(usize::MAX);
        let mut left: BTreeSet<JobId> = model.jobs.keys().copied().collect();
        while !left.is_empty() {
            while scheduler.next().is_some() {}
            let first = left.pop_first().expect("it is not empty");
            scheduler.ended(first);
        }
        prop_assert!(scheduler.jobs.is_empty() && scheduler.ready.is_empty() && scheduler.used.is_empty() && scheduler.dependents.is_empty());
        prop_assert_eq!(scheduler.running, 0);
    }
}
