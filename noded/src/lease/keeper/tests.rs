//! The keeper with a clock that is moved by hand.

use super::super::clock::testing::Hand;
use super::*;

const LENGTH: Duration = Duration::from_secs(30);

struct Bench {
    keeper: Keeper,
    hand: Arc<Hand>,
    paths: Paths,
    _root: tempfile::TempDir,
}

fn bench() -> Bench {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::new(Some(root.path().to_owned()));
    std::fs::create_dir_all(paths.run_dir()).unwrap();
    let hand = Arc::new(Hand::at(100));
    Bench { keeper: keeper(&paths, &hand), hand, paths, _root: root }
}

fn keeper(paths: &Paths, hand: &Arc<Hand>) -> Keeper {
    let store = Store::new(paths);
    let lease = Lease::resumed(store.read(), &hand.boot_id());
    let inner = Inner { lease, store, starts: HashMap::new(), next_start: 0, spoken: hand.now(), length: None };
    Keeper { clock: hand.clone(), inner: Arc::new(Mutex::new(inner)) }
}

fn guest(name: &str) -> Guest {
    Guest { name: name.to_owned(), uuid: format!("uuid-{name}"), hypervisor: "fake".to_owned() }
}

impl Bench {
    fn renew(&self, guard: &[&str]) -> Answer {
        let stamp = self.keeper.renew(None, Vec::new(), &[]).stamp;
        self.keeper.renew(Some(Grant { stamp, length: LENGTH }), guard.iter().map(|name| guest(name)).collect(), &[])
    }
}

#[test]
fn nothing_is_guarded_or_started_without_a_lease() {
    let bench = bench();
    let answer = bench.keeper.renew(None, vec![guest("web1")], &[]);
    assert_eq!((answer.left, answer.guarded.len()), (Duration::ZERO, 0), "it would be ended at once");
    let (answer, start) = bench.keeper.begin(guest("web1"), None);
    assert!(answer.refused.contains("no lease") && start.is_none());
}

#[test]
fn a_start_is_guarded_before_it_happens_and_seen_until_it_is_done() {
    let bench = bench();
    assert!(bench.renew(&[]).refused.is_empty());
    let (answer, start) = bench.keeper.begin(guest("web1"), Some(7));
    assert_eq!(answer.guarded, ["uuid-web1"]);
    assert_eq!(bench.keeper.lock().starts.len(), 1);
    bench.keeper.started(start.unwrap());
    assert!(bench.keeper.lock().starts.is_empty());
    bench.hand.go(LENGTH);
    assert!(bench.keeper.begin(guest("web2"), None).1.is_none(), "the lease is over");
}

#[test]
fn the_next_keeper_has_the_lease_and_the_guests() {
    let bench = bench();
    assert_eq!(bench.renew(&["web1", "web2"]).guarded.len(), 2);
    let next = keeper(&bench.paths, &bench.hand);
    let answer = next.renew(None, Vec::new(), &["uuid-web2".to_owned()]);
    assert_eq!(answer.guarded, ["uuid-web1"]);
    assert_eq!(answer.left, Duration::from_secs(27));
}

#[test]
fn what_cannot_be_kept_is_not_acknowledged() {
    let bench = bench();
    let _ = bench.renew(&[]);
    std::fs::remove_dir_all(bench.paths.run_dir()).unwrap();
    let answer = bench.renew(&["web1"]);
    assert!(answer.refused.contains("cannot write") && answer.guarded.is_empty(), "{}", answer.refused);
}

#[tokio::test]
async fn guests_are_ended_when_the_lease_is_over() {
    let bench = bench();
    let hypervisors = Arc::new(Hypervisors::new(&bench.paths, "node1"));
    let fake = hypervisors.get("fake").unwrap();
    for name in ["web1", "db1"] {
        let instance = gannet_proto::node::Instance { name: name.to_owned(), uuid: format!("uuid-{name}"), ..Default::default() };
        fake.start(&instance, &[], false).await.unwrap();
    }
    let _ = bench.renew(&["web1"]);
    let watching = tokio::spawn(watch(bench.keeper.clone(), hypervisors.clone(), bench.paths.run_dir(), false));
    tokio::time::sleep(TICK * 2).await;
    assert_eq!(fake.list().await.unwrap().len(), 2, "not before");
    bench.hand.go(Duration::from_secs(27));
    let names = || async { fake.list().await.unwrap().into_iter().map(|info| info.name).collect::<Vec<_>>() };
    while names().await.len() == 2 {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(names().await, ["db1"], "what is not guarded is left alone");
    bench.hand.go(IDLE);
    watching.await.unwrap();
}
