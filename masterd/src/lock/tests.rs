use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::*;

fn claim(job: u64, priority: i32) -> Claim {
    Claim { priority, job: JobId(job), op: 0 }
}

fn instance(name: &str) -> Lock {
    Lock::Instance(name.parse().unwrap())
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn sharers_share_and_writers_wait() {
    let manager = LockManager::default();
    let mut first = pin!(manager.acquire(claim(1, 0), LockSet::shared_cluster()));
    let Poll::Ready(one) = poll(first.as_mut()) else { panic!("free") };
    let mut second = pin!(manager.acquire(claim(2, 0), LockSet::exclusive_cluster()));
    assert!(poll(second.as_mut()).is_pending());
    // Comes after an exclusive claim: must not overtake it.
    let mut third = pin!(manager.acquire(claim(3, 0), LockSet::shared_cluster()));
    assert!(poll(third.as_mut()).is_pending());
    // More urgent: overtakes.
    let mut urgent = pin!(manager.acquire(claim(4, -10), LockSet::shared_cluster()));
    let Poll::Ready(four) = poll(urgent.as_mut()) else { panic!("urgent sharers pass") };
    drop((one, four));
    let Poll::Ready(two) = poll(second.as_mut()) else { panic!("served in order") };
    assert!(poll(third.as_mut()).is_pending());
    drop(two);
    assert!(poll(third.as_mut()).is_ready());
}

#[test]
fn a_level_excludes_its_members() {
    let manager = LockManager::default();
    let mut one = pin!(manager.acquire(claim(1, 0), LockSet::none().exclusive(instance("a"))));
    let Poll::Ready(held) = poll(one.as_mut()) else { panic!("free") };
    let mut all = pin!(manager.acquire(claim(2, 0), LockSet::none().shared(Lock::AllInstances)));
    assert!(poll(all.as_mut()).is_pending());
    let mut other_level = pin!(manager.acquire(claim(3, 0), LockSet::none().exclusive(Lock::AllNodes)));
    assert!(poll(other_level.as_mut()).is_ready());
    drop(held);
    assert!(poll(all.as_mut()).is_ready());
}

#[test]
fn a_dropped_claim_is_forgotten() {
    let manager = LockManager::default();
    let mut one = pin!(manager.acquire(claim(1, 0), LockSet::exclusive_cluster()));
    let Poll::Ready(held) = poll(one.as_mut()) else { panic!("free") };
    {
        let mut two = Box::pin(manager.acquire(claim(2, 0), LockSet::exclusive_cluster()));
        assert!(poll(two.as_mut()).is_pending());
        manager.reprioritise(claim(2, 0), -5);
    }
    assert!(manager.info()[0].pending.is_empty());
    drop(held);
    assert!(manager.info().is_empty());
}

#[test]
fn optional_locks_are_taken_when_free() {
    let manager = LockManager::default();
    let mut one = pin!(manager.acquire(claim(1, 0), LockSet::none().exclusive(instance("a"))));
    let Poll::Ready(_held) = poll(one.as_mut()) else { panic!("free") };
    let set = LockSet::shared_cluster().opportunistic([instance("a"), instance("b")], Mode::Exclusive);
    let mut two = pin!(manager.acquire(claim(2, 0), set));
    let Poll::Ready(grant) = poll(two.as_mut()) else { panic!("nothing needed is taken") };
    assert!(grant.covers(&instance("b")) && !grant.covers(&instance("a")));
}

#[derive(Debug, Clone)]
enum Step {
    Ask { job: u64, priority: i32, locks: Vec<(u8, bool)> },
    Drop { job: u64 },
}

fn lock_of(number: u8) -> Lock {
    match number {
        0 => Lock::Cluster,
        1 => Lock::AllInstances,
        2 => Lock::AllNodes,
        3..=5 => Lock::Node(number.to_string().as_str().into()),
        _ => instance(&number.to_string()),
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ask = (1..30u64, -2..2i32, prop::collection::vec((0..9u8, any::<bool>()), 1..4)).prop_map(|(job, priority, locks)| Step::Ask {
        job,
        priority,
        locks,
    });
    let drop = (1..30u64).prop_map(|job| Step::Drop { job });
    prop::collection::vec(prop_oneof![3 => ask, 2 => drop], 1..80)
}

proptest! {
    /// Under any schedule: no two holders conflict, the most urgent waiter is blocked only by holders, and when all is
    /// given back nobody is left waiting.
    #[test]
    fn random_schedules(steps in steps()) {
        let manager = LockManager::default();
        let mut waiting = Waiters::new();
        let mut held = Holders::new();
        for step in steps {
            match step {
                Step::Ask { job, priority, locks } => {
                    let busy = held.contains_key(&job) || waiting.keys().any(|claim| claim.job.0 == job);
                    if !busy {
                        let set = locks.iter().fold(LockSet::none(), |set, (lock, exclusive)| {
                            if *exclusive { set.exclusive(lock_of(*lock)) } else { set.shared(lock_of(*lock)) }
                        });
                        let owned = manager.clone();
                        let (ask, claim) = (set.clone(), claim(job, priority));
                        waiting.insert(claim, (set, Box::pin(async move { owned.acquire(claim, ask).await })));
                    }
                }
                Step::Drop { job } => {
                    held.remove(&job);
                    waiting.retain(|claim, _| claim.job.0 != job);
                }
            }
            collect(&mut waiting, &mut held);
            check(&waiting, &held)?;
        }
        while !held.is_empty() {
            held.pop_first();
            collect(&mut waiting, &mut held);
            check(&waiting, &held)?;
        }
        prop_assert!(waiting.is_empty());
        prop_assert!(manager.info().is_empty());
    }
}

type Waiters = BTreeMap<Claim, (LockSet, Pin<Box<dyn Future<Output = Grant>>>)>;
type Holders = BTreeMap<u64, (LockSet, Grant)>;

fn collect(waiting: &mut Waiters, held: &mut Holders) {
    // Two rounds: a claim is made at its first poll, and may be granted by a later one's drop.
    for _ in 0..2 {
        let claims: Vec<Claim> = waiting.keys().copied().collect();
        for claim in claims {
            let Some((_, future)) = waiting.get_mut(&claim) else { continue };
            if let Poll::Ready(grant) = poll(future.as_mut()) {
                let (set, _) = waiting.remove(&claim).unwrap();
                held.insert(claim.job.0, (set, grant));
            }
        }
    }
}

fn conflict(a: &LockSet, b: &LockSet) -> bool {
    a.needed().any(|(lock, mode)| {
        b.needed().any(|(other, theirs)| lock.overlaps(other) && (mode == Mode::Exclusive || theirs == Mode::Exclusive))
    })
}

fn check(waiting: &Waiters, held: &Holders) -> Result<(), TestCaseError> {
    for (job, (set, _)) in held {
        for (other, (theirs, _)) in held {
            prop_assert!(job == other || !conflict(set, theirs), "{job} and {other} conflict");
        }
    }
    if let Some((first, (set, _))) = waiting.first_key_value() {
        prop_assert!(held.values().any(|(theirs, _)| conflict(set, theirs)), "{first:?} waits for nobody");
    }
    Ok(())
}
