//! Connection, workers and events against libvirt's own test driver, which lives in this process and needs no daemon.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::worker::{Lane, Pool};
use crate::*;

/// A domain as libvirt's test driver has it from the beginning, in a file of its own so that tests do not meet.
const NODE: &str = "<node><domain type='test'><name>web1</name><uuid>5f2b8f0e-9a2e-4c52-9ac2-1f0f4a1a0001</uuid>\
    <memory>131072</memory><currentMemory>65536</currentMemory><vcpu>2</vcpu><os><type>hvm</type></os></domain></node>";
/// Far beyond what anything here takes; only a hang gets there.
const PATIENCE: Duration = Duration::from_secs(30);

async fn connection(dir: &tempfile::TempDir) -> Connection {
    let file = dir.path().join("node.xml");
    std::fs::write(&file, NODE).unwrap();
    let options = Options { uri: format!("test://{}", file.display()), ..Options::default() };
    Connection::open(options).await.unwrap()
}

#[tokio::test]
async fn a_domain_through_its_life() {
    let dir = tempfile::tempdir().unwrap();
    let connection = connection(&dir).await;
    let mut events = connection.subscribe();
    assert!(connection.is_connected());
    assert!(connection.versions().await.unwrap().libvirt >= 9_000_000);
    // each connection to a test file is a world of its own, and each lane has its own: look through one lane only
    let found = connection.list().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.as_str(), found[0].state), ("web1", State::Running));
    assert_eq!((found[0].memory_mib, found[0].max_memory_mib, found[0].vcpus), (64, 128, 2));
    let domain = connection.domain("web1").unwrap();
    let again = domain.info().await.unwrap().unwrap();
    // the test driver's CPU time is the time of day
    assert_eq!(DomainInfo { cpu_time: found[0].cpu_time, ..again }, found[0]);
    assert_eq!(domain.stop().await.unwrap(), Stopped::Now);
    assert_eq!(domain.stop().await.unwrap(), Stopped::WasAbsent);
    assert_eq!(connection.domain("web2").unwrap().state().await.unwrap(), None);
    assert!(connection.domain("web2").unwrap().suspend().await.unwrap_err().is_no_domain());
    drop((connection, domain));
    // the last handle ends the watcher
    loop {
        match tokio::time::timeout(PATIENCE, events.recv()).await.unwrap() {
            Ok(Event::Disconnected) => break,
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn events_come_through() {
    // the default test node is one world for all connections of the process
    let options = Options { uri: "test:///default".to_owned(), ..Options::default() };
    let connection = Connection::open(options).await.unwrap();
    let mut events = connection.subscribe();
    let domain = connection.domain("test").unwrap();
    domain.suspend().await.unwrap();
    domain.resume().await.unwrap();
    domain.resume().await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        match tokio::time::timeout(PATIENCE, events.recv()).await.unwrap().unwrap() {
            Event::Lifecycle { domain, change, .. } if domain == "test" => seen.push(change),
            _ => {}
        }
    }
    assert_eq!(seen, [Lifecycle::Suspended { migrated: false }, Lifecycle::Resumed { migrated: false }]);
    assert!(domain.wait_inactive(Duration::ZERO).await.is_ok_and(|inactive| !inactive));
}

#[tokio::test]
async fn nobody_at_the_socket() {
    let options = Options {
        uri: "qemu+unix:///system?socket=/nonexistent/libvirt-sock".to_owned(),
        open: Duration::from_millis(500),
        ..Options::default()
    };
    let Err(error) = Connection::open(options).await else { panic!("connected to nothing") };
    assert!(error.is_disconnected(), "{error}");
    assert!(error.to_string().contains("/nonexistent/libvirt-sock"), "{error}");
}

#[tokio::test]
async fn strange_names_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let connection = connection(&dir).await;
    for name in ["", "a\0b", "a\nb", "a/b"] {
        assert!(matches!(connection.domain(name), Err(Error::Invalid { .. })), "{name:?}");
    }
}

#[tokio::test]
async fn a_stuck_call_holds_up_its_lane_only() {
    ffi::start_event_loop().unwrap();
    let pool = Pool::new("test:///default");
    let (go_on, wait) = mpsc::channel::<()>();
    let short = Duration::from_millis(200);
    let stuck = pool.run("stuck", "web1", Lane::Change, short, move |_| {
        let _released = wait.recv();
        Ok(())
    });
    let error = stuck.await.unwrap_err();
    assert!(matches!(error, Error::Timeout { behind: None, .. }), "{error:?}");
    // the next call of that lane is never started, also not later
    let ran = Arc::new(AtomicBool::new(false));
    let mark = ran.clone();
    let next = pool.run("next", "web1", Lane::Change, short, move |_| {
        mark.store(true, Ordering::SeqCst);
        Ok(())
    });
    let error = next.await.unwrap_err();
    assert!(matches!(error, Error::Timeout { behind: Some("stuck"), .. }), "{error:?}");
    // other lanes and guests go on
    for (guest, lane) in [("web1", Lane::Query), ("web1", Lane::Control), ("web2", Lane::Change)] {
        pool.run("other", guest, lane, PATIENCE, |_| Ok(())).await.unwrap();
    }
    go_on.send(()).unwrap();
    pool.run("after", "web1", Lane::Change, PATIENCE, |_| Ok(())).await.unwrap();
    assert!(!ran.load(Ordering::SeqCst), "an abandoned call was made");
}

#[tokio::test]
async fn a_panicking_call_leaves_the_worker_usable() {
    ffi::start_event_loop().unwrap();
    let pool = Pool::new("test:///default");
    let result: Result<(), Error> = pool.run("bad", "web1", Lane::Change, PATIENCE, |_| panic!("on purpose")).await;
    assert!(matches!(result, Err(Error::Worker { .. })));
    pool.run("good", "web1", Lane::Change, PATIENCE, |_| Ok(())).await.unwrap();
}
